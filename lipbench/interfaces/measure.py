"""The plugin interface for measures: numbers that are taken of pictures, of features, of points, or of a critic."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from lipbench.interfaces.plugin import Plugin

Value = float | Tensor | None
Values = Value | Mapping[str, Value]


class Measure(Plugin):
    """What is measured of a run, at each evaluation or at its end alone.

    A measure defines one of the hooks ``of_…``, each of which returns a finite number, or None where there is none; a
    measure with several `columns` returns a dict of them. Its name is the name of its column.

    Attributes:
        title: above the column in tables for people; its name if empty.
        unit: such as ``s`` or ``bytes``; empty for a plain number.
        better: which values are better, ``lower`` or ``higher``; empty where neither is.
        low: the least value that there is; None without one.
        high: the largest.
        definition: a sentence; the first of the docstring if empty.
        columns: where there are several, each by its name, with those of the attributes above that it has.
        final: whether it is taken at the end of a run alone.
    """

    title: ClassVar[str] = ""
    unit: ClassVar[str] = ""
    better: ClassVar[Literal["lower", "higher", ""]] = ""
    low: ClassVar[float | None] = None
    high: ClassVar[float | None] = None
    definition: ClassVar[str] = ""
    columns: ClassVar[dict[str, dict[str, Any]]] = {}
    final: ClassVar[bool] = False

    def of_pictures(self, fake: UInt8[Tensor, "n c h w"], real: UInt8[Tensor, "m c h w"]) -> Values:
        """Measure generated pictures beside real ones, as bytes."""
        raise NotImplementedError

    def of_features(self, fake: Float[Tensor, "n k"], real: Float[Tensor, "m k"]) -> Values:
        """Measure generated pictures beside real ones, by the features of the protocol's extractor.

        Under a protocol with a curve extractor there are such features at the end of a run alone.
        """
        raise NotImplementedError

    def of_points(self, fake: Float[Tensor, "n d 1 1"], real: Float[Tensor, "n d 1 1"]) -> Values:
        """Measure generated points beside as many real ones."""
        raise NotImplementedError

    def of_critic(
        self,
        critic: nn.Module,
        score: Callable[[Tensor], Tensor],
        real: Float[Tensor, "n c h w"],
        fake: Float[Tensor, "n c h w"],
    ) -> Values:
        """Measure a critic: itself, its score as a function of points, and held-out real and generated points."""
        raise NotImplementedError
