"""R1: the gradient at real samples is pulled towards zero.

Formula: f + weight/2 · E‖∇f(x)‖², x real
Paper: Mescheder, Geiger & Nowozin 2018, Which Training Methods for GANs do actually Converge?, arXiv:1801.04406
Also: zero-centred gradient penalty
"""

import torch
from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class R1(GradientPenalty):
    """A soft constraint, at the data alone."""

    recommended = {"loss": "logistic"}

    def penalty_points(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], rng: torch.Generator
    ) -> Float[Tensor, "n c h w"]:
        """Take the real samples themselves: the pass that is made anyway."""
        return real

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish every slope."""
        return self.weight / 2 * grad_norm.square().mean()
