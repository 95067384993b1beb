"""Pairs that are symmetric under rotations: their distance is that of the radii, in one dimension."""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.dataset import digest
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


def check_scales(dim: int, real: float, fake: float) -> None:
    """See that there is something to transport.

    Raises:
        ValueError: a number is not positive, or both scales are the same.
    """
    if not 1 <= dim <= MOST:
        raise ValueError(f"dim is {dim}; it must be from 1 to {MOST:,}")
    if not (real > 0 and fake > 0 and real != fake):
        raise ValueError(f"real is {real:g} and fake is {fake:g}; they must be positive and different")
