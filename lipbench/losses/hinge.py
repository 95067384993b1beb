"""The hinge loss: the critic minds scores within the margin alone.

Formula: E (margin − score(real))₊ + E (margin + score(fake))₊
Paper: Lim & Ye 2017, arXiv:1705.02894
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.loss import Loss


class Hinge(Loss):
    """See the formula above."""

    margin: float = 1.0

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.critic`."""
        return F.relu(self.margin - real).mean() + F.relu(self.margin + fake).mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.generator`."""
        return -fake.mean()
