"""Gaussians evenly spaced on a circle, the ring of modes on which collapse is counted.

Source: a random number generator; Metz et al. 2017, Unrolled GANs, arXiv:1611.02163
"""

import math

import torch

from lipbench.data._mixture import MOST, Mixture, check_count, check_positive
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.distribution import Distribution


class Ring(Dataset):
    """`modes` Gaussians of standard deviation `std`, whose centres lie on a circle of this `radius`."""

    modes: int = 8
    radius: float = 2.0
    std: float = 0.02

    def __post_init__(self) -> None:
        check_count("modes", self.modes, MOST)
        check_positive(radius=self.radius, std=self.std)

    def load(self) -> Distribution:
        """Make the mixture; the first mode lies to the right of the origin."""
        angle = 2 * math.pi * torch.arange(self.modes, dtype=torch.float64) / self.modes
        return Mixture(self.radius * torch.stack([angle.cos(), angle.sin()], dim=1), self.std)
