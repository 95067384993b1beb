"""The Dirac-GAN's networks, a number each: a generator that gives θ whatever its latent, and the critic ψ·x.

Paper: Mescheder, Geiger & Nowozin 2018, Which training methods for GANs do actually converge?, arXiv:1801.04406
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.interfaces.architecture import Architecture


class Dirac(Architecture):
    """θ and ψ each begin, by the seed, between half of `start` and one and a half of it, with either sign."""

    start: float = 1.0

    def __post_init__(self) -> None:
        if not 1e-3 <= self.start <= 1e3:
            raise ValueError(f"start must be a number from 0.001 to 1,000, and is {self.start:g}")

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """See `Architecture.make`.

        Raises:
            RequestError: the points are not single numbers.
        """
        if image_shape != (1, 1, 1):
            raise RequestError(
                f"architecture dirac got points of shape {'×'.join(map(str, image_shape))}; expected single numbers, "
                f"as in data set dirac. Choose --set architecture=mlp"
            )
        size, sign = torch.rand(2).tolist()
        begin = self.start * (0.5 + size) * (1 if sign < 0.5 else -1)
        slope = nn.Linear(1, 1, bias=False)
        nn.init.constant_(slope.weight, begin)
        return _Point(begin), nn.Sequential(nn.Flatten(), slope)


class _Point(nn.Module):
    def __init__(self, begin: float) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([begin]))

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 1 1"]:
        return self.theta.expand(len(latents), 1)[..., None, None]
