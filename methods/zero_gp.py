"""Zero-centred gradient penalty: the gradient between real and fake is pulled towards zero.

Formula: f + weight · E‖∇f(x̂)‖², x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: Thanh-Tung, Tran & Venkatesh 2019, Improving Generalization and Stability of GANs, arXiv:1902.03984
Also: 0-GP, GAN-0-GP
"""

from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class ZeroCentredPenalty(GradientPenalty):
    """A soft constraint, as of `gp`; the authors penalise sigmoid(f), by 10 for points and by 500 for pictures."""

    recommended = {"loss": "logistic"}

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish every slope."""
        return self.weight * grad_norm.square().mean()
