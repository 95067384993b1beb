"""Gaussians on a square grid, a harder count of modes than the ring.

Source: a random number generator; Dumoulin et al. 2017, Adversarially learned inference, arXiv:1606.00704
"""

import torch

from lipbench.data._mixture import MOST, Mixture, check_count, check_positive
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.distribution import Distribution

LONGEST = int(MOST**0.5)  # side


class Grid(Dataset):
    """`side` × `side` Gaussians of standard deviation `std` around the origin, `spacing` apart."""

    side: int = 5
    spacing: float = 2.0
    std: float = 0.05

    def __post_init__(self) -> None:
        check_count("side", self.side, LONGEST)
        check_positive(spacing=self.spacing, std=self.std)

    def load(self) -> Distribution:
        """Make the mixture."""
        places = self.spacing * (torch.arange(self.side, dtype=torch.float64) - (self.side - 1) / 2)
        return Mixture(torch.cartesian_prod(places, places).reshape(-1, 2), self.std)
