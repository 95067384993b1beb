"""Training a critic alone, between two distributions from which anything can be drawn."""

from torch import Tensor

from lipbench.interfaces.pair import Pair
from lipbench.request.schema import CriticTrain
from lipbench.train.critic import CriticUpdate
from lipbench.train.training import Training


class CriticAlone(Training):
    """Trains one critic; a step is one update of it.

    Args:
        update: holds the critic.
        pair: what it is trained on.
        settings: the protocol's ``train`` table.
        seed: from which all random streams are derived.
    """

    losses = ("critic loss",)

    def __init__(self, update: CriticUpdate, pair: Pair, settings: CriticTrain, seed: int) -> None:
        super().__init__(update, settings, seed)
        self.pair = pair

    def _train(self) -> tuple[Tensor]:
        real, fake = self.pair.sample(self.settings.batch_size, self.streams["pair"])
        return (self.update(real, fake, self.streams["penalty"]),)
