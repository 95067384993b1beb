"""Maximum penalty: the steepest of the gradients between real and fake is pulled towards zero.

Formula: f + weight · max ‖∇f(x̂)‖², x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: Zhou et al. 2019, Lipschitz Generative Adversarial Nets, arXiv:1902.05687
Also: LGAN, MaxGP, Lipschitz GAN
"""

from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class MaximumPenalty(GradientPenalty):
    """A soft constraint, at the steepest point of a batch alone."""

    recommended = {}  # its authors try several losses

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish the largest norm of the batch."""
        return self.weight * grad_norm.max().square()
