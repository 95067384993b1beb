"""Wasserstein divergence: a high power of the gradient between real and fake is pulled towards zero.

Formula: f + weight · E‖∇f(x̂)‖^power, x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: Wu et al. 2018, Wasserstein Divergence for GANs, arXiv:1712.01026
Also: WGAN-div, W-div
"""

from jaxtyping import Float
from torch import Tensor

from .gp import GradientPenalty


class WassersteinDivergence(GradientPenalty):
    """A soft constraint under the Wasserstein loss; the authors' critic is −f: theirs is high where data are fake."""

    weight: float = 2.0
    power: float = 6.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.power > 1:
            raise ValueError("power must be greater than 1")

    def penalty(self, value: Float[Tensor, " m"], grad_norm: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """Punish steep slopes far more than gentle ones."""
        return self.weight * grad_norm.pow(self.power).mean()
