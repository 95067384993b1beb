"""Gradient penalty: the norm of the gradient between real and fake is pulled towards 1.

Formula: f + weight · E(‖∇f(x̂)‖ − 1)², x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028
Also: WGAN-GP, gradient penalty
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench import Method


class GradientPenalty(Method):
    """A soft constraint, on the segments between real and fake alone."""

    guarantee = "soft"
    recommended = {"loss": "wasserstein"}
    weight: float = 10.0

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("weight must not be negative")

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """Draw one point on each segment from a real to a fake sample."""
        mix = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device, dtype=real.dtype)
        return mix * real + (1 - mix) * fake

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish the distance of each gradient norm from 1."""
        return self.weight * (grad_norm - 1).square().mean()
