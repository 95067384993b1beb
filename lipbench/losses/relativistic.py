"""The relativistic loss: each real sample is to score higher than a generated one beside it.

Formula: E log(1 + e^(score(fake) − score(real))); for the generator, with real and fake exchanged
Paper: Jolicoeur-Martineau 2018, The relativistic discriminator, arXiv:1807.00734
Also: RpGAN, relativistic pairing
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.loss import Loss


class Relativistic(Loss):
    """See the formula above."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " n"]) -> Float[Tensor, ""]:
        """See `Loss.critic`."""
        return F.softplus(fake - real).mean()

    def generator(self, fake: Float[Tensor, " n"], real: Float[Tensor, " n"]) -> Float[Tensor, ""]:  # type: ignore[override]  # see `Loss.generator`
        """See `Loss.generator`."""
        return F.softplus(real - fake).mean()
