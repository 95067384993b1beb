"""GraN: the critic is divided by its slope, so that the score has slope at most `scale` inside each linear piece.

Formula: scale · f · ‖∇f‖ / (‖∇f‖² + epsilon)
Paper: Bhaskara et al. 2022, GraN-GAN: Piecewise Gradient Normalization for GANs, arXiv:2111.03162
Also: GraN-GAN
"""

from jaxtyping import Float
from torch import Tensor

from lipbench import Method


class PiecewiseGradientNormalisation(Method):
    """Inside each linear piece ‖∇f̂‖ ≤ scale; between the pieces f̂ jumps without bound."""

    guarantee = "almost everywhere"
    scale: float = 1.0
    epsilon: float = 0.1

    def __post_init__(self) -> None:
        if not (self.scale > 0 and self.epsilon > 0):
            raise ValueError("scale and epsilon must be greater than 0")

    @property
    def lipschitz_target(self) -> float:
        """The bound inside each linear piece."""
        return self.scale

    def score(self, value: Float[Tensor, " n"], grad_norm: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Divide by the slope, softened where it vanishes."""
        return self.scale * value * grad_norm / (grad_norm.square() + self.epsilon)
