"""What the runner knows of a training, whatever it trains."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lipbench.errors import Diverged
from lipbench.train.composition import Composition
from lipbench.train.critic import CriticUpdate
from lipbench.train.gradients.terms import Engine


class Training(ABC):
    """Makes steps, and can be put down and taken up again.

    Attributes:
        step: the steps made so far.
        update: holds the critic.
    """

    step: int
    update: CriticUpdate

    @abstractmethod
    def advance(self, steps: int, pause: Callable[[], bool] = lambda: False) -> dict[str, list[float]]:
        """Make `steps` steps and give the losses of each.

        Numbers are read from the device once, at the end, so that a step never waits for it.

        Args:
            steps: at least 1.
            pause: is asked after each step whether to make no more for now.

        Raises:
            Diverged: a loss was not finite; the step of the first is named.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how training goes on, the global random states included."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""

    @property
    def critic(self) -> nn.Module:
        """The critic under training."""
        return self.update.critic

    @property
    def composition(self) -> Composition:
        """How it is kept Lipschitz."""
        return self.update.composition

    @property
    def device(self) -> torch.device:
        """Where it is trained."""
        return self.update.device

    @property
    def engine(self) -> Engine:
        """How it is differentiated."""
        return self.update.engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self.update.engine = engine

    @property
    def engine_name(self) -> str:
        """The name of what differentiates it."""
        return self.update.engine_name

    def _make(
        self, steps: int, pause: Callable[[], bool], step: Callable[[], tuple[Tensor, ...]], names: Sequence[str]
    ) -> dict[str, list[float]]:
        """Make steps, and read their losses.

        Raises:
            Diverged: one is not finite.
        """
        made = [step()]
        while len(made) < steps and not pause():
            made.append(step())
        losses = torch.stack([torch.stack(step) for step in made])
        finite = losses.isfinite().cpu()
        if not finite.all():
            row, column = (int(index) for index in (~finite).nonzero()[0])
            raise Diverged(self.step - len(made) + row + 1, names[column])
        return {name.replace(" ", "_"): each for name, each in zip(names, losses.T.tolist(), strict=True)}


def decayed(step: int, steps: int, decay: str) -> float:
    """The part of the learning rate that is left after `step` of `steps` steps."""
    return 1.0 if decay == "none" else max(0.0, 1 - step / steps)
