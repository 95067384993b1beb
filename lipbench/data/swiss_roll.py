"""A spiral of one and a half turns in the plane, blurred by a Gaussian: a curve without modes.

Source: a random number generator; Marsland 2009, Machine Learning: An Algorithmic Perspective, chapter 6
"""

import math

import torch

from lipbench.data._mixture import Mixture, along, check_positive
from lipbench.interfaces.dataset import Dataset
from lipbench.interfaces.distribution import Distribution


class SwissRoll(Dataset):
    """A roll that ends `radius` from the origin, uniform in its angle, with `std` around it."""

    radius: float = 2.0
    std: float = 0.05

    def __post_init__(self) -> None:
        check_positive(radius=self.radius, std=self.std)

    def load(self) -> Distribution:
        """Make the mixture; the roll begins at a third of the radius, as angle and distance grow together."""
        angle = 1.5 * math.pi * (1 + 2 * along())
        distance = self.radius * angle / (4.5 * math.pi)
        return Mixture(distance[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1), self.std, has_modes=False)
