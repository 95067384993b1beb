"""Pairs that are symmetric under rotations: their distance is that of the radii, in one dimension."""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.dataset import Dataset, digest
from lipbench.interfaces.pair import Pair

MOST = 100_000  # numbers in a point


class Radial(Pair):
    """Points in uniform directions; the real ones lie inside or outside of the fake ones, ray by ray.

    Args:
        dim: numbers in a point.
        real: the scale of the real points.
        fake: that of the fake ones.
        w1: the distance.
        gaussian: whether a scale is the standard deviation of a normal law, or else the radius of a shell.
    """

    def __init__(self, dim: int, real: float, fake: float, w1: float, *, gaussian: bool) -> None:
        self.dim, self.real, self.fake, self.w1, self.gaussian = dim, real, fake, w1, gaussian
        self.digest = digest(torch.tensor([dim, real, fake, gaussian], dtype=torch.float64))

    def sample(self, count: int, rng: torch.Generator) -> tuple[Float[Tensor, "n d 1 1"], Float[Tensor, "n d 1 1"]]:
        """Scale two normal batches, or the directions of their points."""
        points = torch.randn(2 * count, self.dim, 1, 1, generator=rng, device=rng.device)
        if not self.gaussian:
            points = points / torch.linalg.vector_norm(points, dim=1, keepdim=True)
        return self.real * points[:count], self.fake * points[count:]

    def slope(self, points: Float[Tensor, "n d 1 1"]) -> Float[Tensor, "n d 1 1"]:
        """Away from the fake points along the ray; NaN in the origin."""
        sign = 1.0 if self.real > self.fake else -1.0
        length: Tensor = torch.linalg.vector_norm(points, dim=1, keepdim=True)
        return sign * points / length


class RadialData(Dataset):
    """Two laws that differ in their scales alone."""

    dim: int = 2
    real: float = 1.0
    fake: float = 2.0

    def __post_init__(self) -> None:
        check_dim(self.dim)
        if not (self.real > 0 and self.fake > 0 and self.real != self.fake):
            raise ValueError(f"real is {self.real:g} and fake is {self.fake:g}; they must be positive and different")


def check_dim(dim: int) -> None:
    """See that points have numbers, and not more than anybody means.

    Raises:
        ValueError: it is not so.
    """
    if not 1 <= dim <= MOST:
        raise ValueError(f"dim is {dim}; it must be from 1 to {MOST:,}")
