"""Adversarial Lipschitz penalty: secants steeper than 1 are punished, where the critic changes most.

Formula: f + weight · E(|f(x + r) − f(x)|/‖r‖ − 1)₊², r along ∇f(x + xi · d), ‖r‖ ~ U(shortest, longest), ‖d‖ = 1
Paper: Terjék 2020, Adversarial Lipschitz Regularization, arXiv:1907.05681
Also: WGAN-ALP, adversarial Lipschitz regularisation, ALR
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from lipbench import Method
from lipbench.train.steepest import steepest


class AdversarialLipschitzPenalty(Method):
    """A soft constraint on secants from real and fake samples; no pixel is clipped, as points may lie anywhere."""

    guarantee = "soft"
    recommended = {"loss": "wasserstein"}
    weight: float = 100.0
    xi: float = 10.0
    shortest: float = 0.1
    longest: float = 10.0

    def __post_init__(self) -> None:
        if not (self.weight >= 0 and self.xi > 0 and 0 < self.shortest <= self.longest):
            raise ValueError("weight must not be negative, xi and shortest must be above 0, longest at least shortest")

    def regulariser(
        self,
        critic: nn.Module,
        real: Float[Tensor, "n c h w"],
        fake: Float[Tensor, "n c h w"],
        rng: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Punish what exceeds 1, at all samples."""
        return self.weight * torch.mean(
            F.relu(steepest(critic, torch.cat([real, fake]), self.xi, (self.shortest, self.longest), rng) - 1) ** 2
        )
