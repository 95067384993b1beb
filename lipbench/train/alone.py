"""Training a critic alone, between two distributions from which anything can be drawn."""

from jaxtyping import Float
from torch import Tensor, nn

from lipbench.interfaces.loss import Loss
from lipbench.interfaces.pair import Pair
from lipbench.request.schema import CriticTrain
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import Engine
from lipbench.train.training import Training


class CriticAlone(Training):
    """Trains one critic; a step is one update of it.

    Args:
        critic: (n, dim, 1, 1) → (n,) or (n, 1), already constrained.
        composition: how it is kept Lipschitz.
        loss: on scores.
        pair: what it is trained on.
        settings: the protocol's ``train`` table.
        engine: how it is differentiated.
        seed: from which all random streams are derived.
    """

    losses = ("critic loss",)

    def __init__(
        self,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        pair: Pair,
        settings: CriticTrain,
        engine: Engine,
        seed: int,
    ) -> None:
        super().__init__(critic, composition, loss, settings, engine, seed)
        self.pair = pair

    def _given(self) -> tuple[Tensor, ...]:
        return self.pair.sample(self.settings.batch_size, self.streams["pair"])

    def work(self, *given: Tensor) -> Float[Tensor, " 1"]:
        """See `Training.work`."""
        real, fake = given
        return self.update_critic(real, fake)[None]
