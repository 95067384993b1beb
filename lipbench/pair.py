"""Two distributions whose Wasserstein-1 distance is known, and with it the slope of the critic that attains it."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor


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
