"""DRAGAN: the norm of the gradient near real samples is pulled towards 1.

Formula: f + weight · E(‖∇f(x̂)‖ − 1)², x̂ = x + ε · reach · std(x) · u, ε ~ U(0, 1) a sample, u ~ U(0, 1) a pixel
Paper: Kodali et al. 2017, On Convergence and Stability of GANs, arXiv:1705.07215
Also: DRAGAN, deep regret analytic GAN
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class Dragan(GradientPenalty):
    """A soft constraint, around the data alone; points are drawn as in the authors' code, std over the whole batch."""

    recommended = {"loss": "logistic"}
    reach: float = 0.5

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """Draw one point on the segment from each real sample to a noisy, brighter copy of it."""
        noise = torch.rand(real.shape, generator=rng, device=real.device, dtype=real.dtype)
        noisy = real + self.reach * real.std(correction=0) * noise
        return super().penalty_points(noisy, real, rng)
