"""R1 and R2 together, as in R3GAN: the gradient is pulled towards zero at real and generated samples.

Formula: f + weight/2 · (E‖∇f(x)‖² + E‖∇f(G(z))‖²), x real
Paper: Huang et al. 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv:2501.05441
Also: R3GAN, R1 and R2
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .r1 import R1


class R1R2(R1):
    """A soft constraint, at real and generated samples; the authors take the relativistic loss, too."""

    recommended = {"loss": "relativistic", "parameters.weight": 0.05}

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "m c h w"]:
        """Take all samples, as many of each sort."""
        return torch.cat([real, fake])

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish every slope: the sum of two means is twice the mean over both."""
        return self.weight * grad_norm.square().mean()
