"""The Dirac-GAN's data: every point is 0, so that a critic ψ·x and a generator that gives θ are all there is.

Source: Mescheder, Geiger & Nowozin 2018, Which training methods for GANs do actually converge?, arXiv:1801.04406
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.dataset import Dataset, digest
from lipbench.interfaces.distribution import Distribution


class Dirac(Dataset):
    """A point mass at the origin of the line."""

    def load(self) -> Distribution:
        """Make it."""
        return _Origin()


class _Origin(Distribution):
    dim = 1

    def __init__(self) -> None:
        self.digest = digest(torch.zeros(1))

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "n 1 1 1"]:
        return torch.zeros(count, 1, 1, 1, device=rng.device)
