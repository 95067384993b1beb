"""Two half circles that reach into each other, blurred by a Gaussian: a curve of two parts.

Source: a random number generator; the shape is that of scikit-learn's make_moons
"""

import math

import torch

from lipbench.data._mixture import ALONG, Mixture, along, check_positive
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.distribution import Distribution


class TwoMoons(Dataset):
    """Half circles of this `radius` around the origin's two sides, with `std` around them."""

    radius: float = 1.0
    std: float = 0.05

    def __post_init__(self) -> None:
        check_positive(radius=self.radius, std=self.std)

    def load(self) -> Distribution:
        """Make the mixture, one half of it on each moon."""
        angle = math.pi * along(ALONG // 2)
        upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
        return Mixture(self.radius * torch.cat([upper, -upper]), self.std, has_modes=False)
