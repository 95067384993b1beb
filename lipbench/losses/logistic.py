"""The logistic loss of the first GANs, non-saturating for the generator.

Formula: E log(1 + e^−score(real)) + E log(1 + e^score(fake))
Paper: Goodfellow et al. 2014, arXiv:1406.2661
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.loss import Loss


class Logistic(Loss):
    """See the formula above."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.critic`."""
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.generator`."""
        return F.softplus(-fake).mean()
