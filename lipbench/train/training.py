"""What every training has in common, whatever it trains beside the critic."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import LambdaLR

from lipbench.errors import Diverged
from lipbench.request.schema import CriticTrain, Train
from lipbench.train.composition import Composition
from lipbench.train.critic import CriticUpdate
from lipbench.train.gradients.terms import Engine
from lipbench.train.streams import Streams, global_state, restore_global_state


class Training(ABC):
    """Makes steps, and can be put down and taken up again.

    Args:
        update: holds the critic.
        settings: the protocol's ``train`` table.
        seed: from which all random streams are derived.
        others: what else is optimised, by name.

    Attributes:
        losses: what a step gives, for people.
        step: the steps made so far.
        streams: the random numbers.
    """

    losses: ClassVar[tuple[str, ...]]

    def __init__(self, update: CriticUpdate, settings: Train | CriticTrain, seed: int, **others: Adam) -> None:
        self.update = update
        self.settings = settings
        self.streams = Streams(seed, update.device)
        self.step = 0
        self._optimisers = {"critic": update.optimiser, **others}

        def left(step: int) -> float:
            """The part of the learning rate; a function, as a schedule's state takes along anything else."""
            return 1.0 if settings.decay == "none" else max(0.0, 1 - step / settings.steps)

        self._schedules = {name: LambdaLR(adam, left) for name, adam in self._optimisers.items()}

    def advance(self, steps: int, pause: Callable[[], bool] = lambda: False) -> dict[str, list[float]]:
        """Make `steps` steps and give the losses of each.

        Numbers are read from the device once, at the end, so that a step never waits for it.

        Args:
            steps: at least 1.
            pause: is asked after each step whether to make no more for now.

        Raises:
            Diverged: a loss was not finite; the step of the first is named.
        """
        made = [self._make_step()]
        while len(made) < steps and not pause():
            made.append(self._make_step())
        losses = torch.stack([torch.stack(step) for step in made])
        finite = losses.isfinite().cpu()
        if not finite.all():
            row, column = (int(index) for index in (~finite).nonzero()[0])
            raise Diverged(self.step - len(made) + row + 1, self.losses[column])
        return {name.replace(" ", "_"): each for name, each in zip(self.losses, losses.T.tolist(), strict=True)}

    def _make_step(self) -> tuple[Tensor, ...]:
        losses = self._train()
        for schedule in self._schedules.values():
            schedule.step()
        self.step += 1
        return losses

    @abstractmethod
    def _train(self) -> tuple[Tensor, ...]:
        """Update everything once; the losses, detached."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how training goes on, the global random states included."""
        return {
            "step": self.step,
            "critic_steps": self.update.steps,
            "critic": self.critic.state_dict(),
            "streams": self.streams.state_dict(),
            "optimisers": {name: adam.state_dict() for name, adam in self._optimisers.items()},
            "schedules": {name: schedule.state_dict() for name, schedule in self._schedules.items()},
            **global_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.step, self.update.steps = state["step"], state["critic_steps"]
        self.critic.load_state_dict(state["critic"])
        self.streams.load_state_dict(state["streams"])
        for name, adam in self._optimisers.items():
            adam.load_state_dict(state["optimisers"][name])
            self._schedules[name].load_state_dict(state["schedules"][name])
        restore_global_state(state)

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
