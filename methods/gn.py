"""Gradient normalisation: the critic is divided by its own size and slope.

Formula: f / (‖∇f‖ + |f|)
Paper: Wu et al. 2021, Gradient Normalization for Generative Adversarial Networks, arXiv:2109.02235
Also: GN-GAN, gradient normalisation
"""

from jaxtyping import Float
from torch import Tensor

from lipbench import Method


class GradientNormalisation(Method):
    """Inside each linear piece ‖∇f̂‖ = (1 − |f̂|)² ≤ 1; between the pieces f̂ may jump."""

    guarantee = "almost everywhere"
    recommended = {"loss": "logistic"}

    def score(self, value: Float[Tensor, " n"], grad_norm: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Divide the value; the small number keeps a dead critic at 0 where it would be 0/0."""
        return value / (grad_norm + value.abs() + 1e-12)
