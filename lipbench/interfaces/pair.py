"""Two distributions whose Wasserstein-1 distance is known, and with it the slope of the critic that attains it."""

from abc import ABC, abstractmethod
from math import isfinite

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.errors import PluginError
from lipbench.interfaces.distribution import TRIED, check_finite, check_points, check_repeated, kind_of

NORM = 1e-3  # by which the norm of a slope in float32 may differ from 1


class Pair(ABC):
    """What a critic is trained on where its right answer is known: real and fake points, drawn anew at each step.

    Attributes:
        dim: numbers in a point; points have the shape (n, dim, 1, 1).
        w1: the Wasserstein-1 distance between the two, E real f − E fake f of the best critic f.
        digest: eight hex digits of all that decides the pair.
    """

    dim: int
    w1: float
    digest: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one point, as a critic sees it."""
        return self.dim, 1, 1

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator) -> tuple[Float[Tensor, "n d 1 1"], Float[Tensor, "n d 1 1"]]:
        """Draw `count` real and as many fake points, independent of each other, float32, on the device of `rng`."""

    @abstractmethod
    def slope(self, points: Float[Tensor, "n d 1 1"]) -> Float[Tensor, "n d 1 1"]:
        """The gradient of the best critic at real points, of norm 1; NaN where it is not defined."""


def check(pair: Pair) -> None:
    """See that a pair keeps its promises, by drawing a few points.

    Raises:
        PluginError: it does not, with what was given and what was expected.
    """
    name = type(pair).__name__
    dim, w1, digest = (getattr(pair, key, None) for key in ("dim", "w1", "digest"))
    if not isinstance(dim, int) or dim < 1:
        raise PluginError(f"{name}.dim is {dim!r}; expected how many numbers a point has, as an int: self.dim = 2")
    if not isinstance(w1, int | float) or not (isfinite(w1) and w1 > 0):
        raise PluginError(f"{name}.w1 is {w1!r}; expected the distance as a finite float above 0: self.w1 = 1.0")
    if not isinstance(digest, str) or not digest:
        raise PluginError(
            f"{name}.digest is {digest!r}; expected eight hex digits of all that decides the pair: "
            f"self.digest = lipbench.interfaces.dataset.digest(…) of its tensors"
        )
    first, again, other = (pair.sample(TRIED, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    if not isinstance(first, tuple | list) or len(first) != 2:
        raise PluginError(f"{name}.sample gives {kind_of(first)}; expected two tensors: return real, fake")
    for kind, points in zip(("real", "fake"), first, strict=True):
        check_points(f"{kind} points of {name}.sample", points, dim)
        check_finite(f"{kind} points of {name}.sample", points)
    check_repeated(name, first, again, other)
    real = first[0]
    slope = pair.slope(real)
    check_points(f"{name}.slope", slope, dim)
    norms = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    wrong = norms[~(norms.isnan() | ((norms - 1).abs() < NORM))]
    if len(wrong):
        raise PluginError(
            f"{name}.slope has the norm {float(wrong[0]):g} at a real point; expected 1, or NaN where it is not "
            f"defined: divide it by its norm, if it is the direction of a gradient"
        )
