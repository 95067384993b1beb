"""The plugin interface for points of a known distribution, on which a generator and its critic are trained."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from lipbench.errors import PluginError
from lipbench.interfaces.modes import Modes

TRIED = 8  # points with which a plugin is checked


class Distribution(ABC):
    """A distribution of points, drawn anew at each step.

    Attributes:
        dim: numbers in a point; points have the shape (n, dim, 1, 1).
        digest: eight hex digits of all that decides the distribution.
        modes: how samples are told apart by their modes; None for a distribution without.
        notes: sentences for whoever compares numbers of it.
    """

    dim: int
    digest: str
    modes: Modes | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one point, as a critic sees it."""
        return self.dim, 1, 1

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "n d 1 1"]:
        """Draw `count` points, float32, on the device of `rng`."""

    def log_density(self, points: Float[Tensor, "n d 1 1"]) -> Float[Tensor, " n"] | None:
        """Return the logarithm of the density at points; None where there is no density."""
        return None

    def near(self, points: Float[Tensor, "n d 1 1"]) -> Bool[Tensor, " n"] | None:
        """Return which points count as of high quality; None where that is not defined."""
        return None


def check(distribution: Distribution) -> None:
    """See that a distribution keeps its promises, by drawing a few points.

    Raises:
        PluginError: it does not, with what was given and what was expected.
    """
    name = type(distribution).__name__
    dim, digest = (getattr(distribution, key, None) for key in ("dim", "digest"))
    if not isinstance(dim, int) or dim < 1:
        raise PluginError(f"{name}.dim is {dim!r}; expected how many numbers a point has, as an int: self.dim = 2")
    if not isinstance(digest, str) or not digest:
        raise PluginError(
            f"{name}.digest is {digest!r}; expected eight hex digits of all that decides the distribution: "
            f"self.digest = lipbench.interfaces.dataset.digest(…) of its tensors"
        )
    first, again, other = (distribution.sample(TRIED, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    check_points(f"points of {name}.sample", first, dim)
    check_finite(f"points of {name}.sample", first)
    check_repeated(name, [first], [again], [other])


def check_points(what: str, points: Any, dim: int) -> None:
    """See that `TRIED` points have the type, shape and device that `sample` promises.

    Raises:
        PluginError: they have not.
    """
    wanted = (TRIED, dim, 1, 1)
    if not isinstance(points, Tensor) or points.shape != wanted or points.dtype != torch.float32 or points.is_cuda:
        raise PluginError(
            f"{what}: {kind_of(points)} for {TRIED} points; expected a tensor of float32 with the shape {wanted}, on "
            f"the device of what was given: .float().reshape(-1, {dim}, 1, 1) may help"
        )


def check_finite(what: str, points: Tensor) -> None:
    """See that points are finite.

    Raises:
        PluginError: they are not.
    """
    if not points.isfinite().all():
        raise PluginError(f"{what} are NaN or infinite; expected finite numbers")


def check_repeated(name: str, first: Sequence[Tensor], again: Sequence[Tensor], other: Sequence[Tensor]) -> None:
    """See that a generator decides what is drawn: the same seed the same points, another seed others.

    Args:
        name: of the class that drew them.
        first: what one seed gave.
        again: what a generator of the same seed gave.
        other: what one of another seed gave.

    Raises:
        PluginError: it does not.
    """
    if not all(map(torch.equal, first, again)):
        raise PluginError(
            f"{name}.sample gives other points for a generator of the same seed; expected the same, or no run can be "
            f"repeated: draw by torch.randn(…, generator=rng, device=rng.device)"
        )
    # A distribution of one point is one, too.
    moves = any(bool((points != points[0]).any()) for points in first)
    if moves and all(map(torch.equal, first, other)):
        raise PluginError(
            f"{name}.sample gives the same points for generators of different seeds; expected new ones at each step: "
            f"draw by torch.randn(…, generator=rng, device=rng.device)"
        )


def kind_of(given: object) -> str:
    """What was given, for a message."""
    if not isinstance(given, Tensor):
        return type(given).__name__
    dtype = str(given.dtype).removeprefix("torch.")
    return f"a tensor of {dtype} with the shape {tuple(given.shape)} on {given.device}"
