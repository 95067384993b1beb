"""Two normal laws, one of them moved: W₁ is the length of the shift, for a critic that is trained alone.

Source: a random number generator
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.data._radial import check_dim
from lipbench.interfaces.dataset import Dataset, digest
from lipbench.interfaces.pair import Pair


class ShiftedGaussians(Dataset):
    """N(m, I) against N(0, I); every coordinate of m is the same, and ‖m‖ is `shift`."""

    dim: int = 2
    shift: float = 1.0

    def __post_init__(self) -> None:
        check_dim(self.dim)
        if not self.shift > 0:
            raise ValueError("shift must be greater than 0")

    def load(self) -> Pair:
        """Make the pair."""
        return Shifted(self.dim, self.shift)


class Shifted(Pair):
    """The pair: the best critic is linear."""

    def __init__(self, dim: int, shift: float) -> None:
        self.dim, self.w1 = dim, shift
        self.digest = digest(torch.tensor([dim, shift], dtype=torch.float64))

    def sample(self, count: int, rng: torch.Generator) -> tuple[Float[Tensor, "n d 1 1"], Float[Tensor, "n d 1 1"]]:
        """Draw two normal batches and move one."""
        points = torch.randn(2 * count, self.dim, 1, 1, generator=rng, device=rng.device)
        return points[:count] + self.w1 / self.dim**0.5, points[count:]

    def slope(self, points: Float[Tensor, "n d 1 1"]) -> Float[Tensor, "n d 1 1"]:
        """Along the shift, everywhere."""
        return torch.full_like(points, self.dim**-0.5)
