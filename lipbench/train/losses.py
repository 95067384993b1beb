"""The losses of critic and generator, on scores."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Wasserstein:
    """E score(fake) − E score(real), arXiv:1701.07875."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the critic minimises."""
        return fake.mean() - real.mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the generator minimises."""
        return -fake.mean()


@dataclass(frozen=True)
class Hinge:
    """E (1 − score(real))₊ + E (1 + score(fake))₊, arXiv:1705.02894."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the critic minimises."""
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the generator minimises."""
        return -fake.mean()


@dataclass(frozen=True)
class Logistic:
    """E log(1 + e^−score(real)) + E log(1 + e^score(fake)), arXiv:1406.2661, non-saturating for the generator."""

    def critic(self, real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the critic minimises."""
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator(self, fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
        """What the generator minimises."""
        return F.softplus(-fake).mean()


Loss = Wasserstein | Hinge | Logistic

LOSSES: dict[str, Loss] = {"wasserstein": Wasserstein(), "hinge": Hinge(), "logistic": Logistic()}
