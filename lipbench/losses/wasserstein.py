"""The Wasserstein loss, an estimate of the distance where the critic is 1-Lipschitz.

Formula: E score(fake) − E score(real)
Paper: Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875
"""

from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.loss import Loss


class Wasserstein(Loss):
    """See the formula above."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.critic`."""
        return fake.mean() - real.mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """See `Loss.generator`."""
        return -fake.mean()
