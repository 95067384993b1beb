"""Gradient normalisation with a range of its own: `gn` scores lie in ±1 with slopes far below 1, these in ±tau.

Formula: tau · f / (tau · ‖∇f‖ + |f|)
Paper: a variant of Wu et al. 2021, arXiv:2109.02235
"""

from jaxtyping import Float
from torch import Tensor

from lipbench import Method


class RangedGradientNormalisation(Method):
    """Inside each linear piece ‖∇f̂‖ = (1 − |f̂|/tau)² ≤ 1; between the pieces f̂ may jump, by up to 2·tau."""

    guarantee = "almost everywhere"
    tau: float = 10.0

    def __post_init__(self) -> None:
        if not self.tau > 0:
            raise ValueError("tau must be greater than 0")

    def score(self, value: Float[Tensor, " n"], grad_norm: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Divide the value; the small number keeps a dead critic at 0 where it would be 0/0."""
        return self.tau * value / (self.tau * grad_norm + value.abs() + 1e-12)
