"""Lipschitz penalty: only gradients steeper than 1 between real and fake are punished.

Formula: f + weight · E(‖∇f(x̂)‖ − 1)₊², x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: Petzka, Fischer & Lukovnikov 2018, On the regularization of Wasserstein GANs, arXiv:1709.08894
Also: WGAN-LP, Lipschitz penalty, one-sided gradient penalty
"""

from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class LipschitzPenalty(GradientPenalty):
    """A soft constraint, one-sided: where the critic is flat it stays so."""

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish what exceeds 1."""
        return self.weight * (grad_norm - 1).relu().square().mean()
