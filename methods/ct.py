"""Consistency term: gradient penalty, and two passes with dropout that are to agree at real samples.

Formula: gp + consistency · E[(f′(x) − f″(x))² + .1 · mean(h′(x) − h″(x))²], x real, h what the last layer gets
Paper: Wei et al. 2018, Improving the Improved Training of Wasserstein GANs, arXiv:1803.01541
Also: CT-GAN, WGAN-CT, consistency regularisation
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lipbench.train.dropout import dropped

from .gp import GradientPenalty


class ConsistencyTerm(GradientPenalty):
    """A soft constraint, at the data, too. Units are dropped for this term alone; scores are those of all units."""

    consistency: float = 2.0
    dropout: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.consistency >= 0 and 0 < self.dropout < 1):
            raise ValueError("consistency must not be negative, and dropout must lie between 0 and 1")

    def regulariser(
        self,
        critic: nn.Module,
        real: Float[Tensor, "n c h w"],
        fake: Float[Tensor, "n c h w"],
        rng: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Punish what depends on the units that were dropped."""
        (one, first), (two, second) = (dropped(critic, real, self.dropout, rng) for _ in range(2))
        return self.consistency * ((one - two).square().mean() + 0.1 * (first - second).square().mean())
