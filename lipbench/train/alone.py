"""Training a critic alone, between two distributions from which anything can be drawn."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from lipbench.interfaces.pair import Pair
from lipbench.request.schema import CriticTrain
from lipbench.train.critic import CriticUpdate
from lipbench.train.streams import Streams, global_state, restore_global_state
from lipbench.train.training import Training, decayed


class CriticAlone(Training):
    """Trains one critic; a step is one update of it.

    Args:
        update: holds the critic.
        pair: what it is trained on.
        settings: the protocol's ``train`` table.
        seed: from which all random streams are derived.
    """

    def __init__(self, update: CriticUpdate, pair: Pair, settings: CriticTrain, seed: int) -> None:
        self.update = update
        self.pair = pair
        self.settings = settings
        self.streams = Streams(seed, update.device)
        self.step = 0
        self._schedule = LambdaLR(
            update.optimiser, lambda step: decayed(step, self.settings.steps, self.settings.decay)
        )

    def advance(self, steps: int, pause: Callable[[], bool] = lambda: False) -> dict[str, list[float]]:
        """Make `steps` updates; see `Training.advance`."""
        return self._make(steps, pause, self._iterate, ["critic loss"])

    def _iterate(self) -> tuple[Tensor]:
        real, fake = self.pair.sample(self.settings.batch_size, self.streams["pair"])
        loss = self.update(real, fake, self.streams["penalty"])
        self._schedule.step()
        self.step += 1
        return (loss,)

    def state_dict(self) -> dict[str, Any]:
        """See `Training.state_dict`."""
        return {
            "step": self.step,
            "update": self.update.state_dict(),
            "streams": self.streams.state_dict(),
            "schedule": self._schedule.state_dict(),
            **global_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Training.load_state_dict`."""
        self.step = state["step"]
        self.update.load_state_dict(state["update"])
        self.streams.load_state_dict(state["streams"])
        self._schedule.load_state_dict(state["schedule"])
        restore_global_state(state)
