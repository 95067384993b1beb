"""A method under examination: it can be trained anew as often as the checks need."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from lipbench.interfaces.dataset import Pictures, to_unit
from lipbench.interfaces.method import Method
from lipbench.measuring.critic import settled
from lipbench.measuring.images import generate
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.tools.authors.variants import Watch, same
from lipbench.train.composition import Composition
from lipbench.train.loop import Trainer
from lipbench.train.streams import global_state, kept, seed_globally
from lipbench.work.build import build_trainer
from lipbench.work.job import latents
from lipbench.work.stages import Stages

COMPARED = 20  # steps of a training that is compared with another bit by bit, at most
CPU = torch.device("cpu")


class _Control(Method):
    """The critic as it is."""

    control = True


@dataclass
class Trained:
    """A training after the steps that are compared.

    Attributes:
        trainer: as it is then.
        begun: what all trainings of a seed share: its state before the first step.
        halfway: its state after half of them.
        ended: its state after all.
        drew: whether the global random states moved, be it by the networks.
        watch: what the hooks did.
    """

    trainer: Trainer
    begun: dict[str, Any]
    halfway: dict[str, Any]
    ended: dict[str, Any]
    drew: bool
    watch: Watch


@dataclass
class Subject:
    """What is checked.

    Attributes:
        make: gives a new instance, of a newly imported file where it is a user's own.
        cell: its name, the networks and the settings.
        pictures: with which it is trained.
        locate: gives the path of a user's own file from its name in the run folder.
        stages: tells what is done.
        steps: of the training after which the promise is measured.
        seconds: that this training may take.
    """

    make: Callable[[], Method]
    cell: Cell
    pictures: Pictures
    locate: Locate
    stages: Stages
    steps: int
    seconds: float

    @property
    def compared(self) -> int:
        """Steps of a training that is compared with another."""
        return max(2, min(COMPARED, self.steps))

    @property
    def half(self) -> int:
        """Those before a training is saved and loaded."""
        return self.compared // 2

    @cached_property
    def method(self) -> Method:
        """An instance to ask."""
        return self.make()

    def build(self, method: Method | None = None, precision: str | None = None) -> Trainer:
        """What trains a method; a new instance of the one that is checked, if None.

        Args:
            method: instead of it.
            precision: instead of the protocol's.
        """
        cell = self.cell
        if precision:
            train = cell.adversarial.train.model_copy(update={"precision": precision})
            cell = cell.model_copy(update={"protocol": cell.protocol.model_copy(update={"train": train})})
        return build_trainer(cell, self.pictures, self.locate, CPU, Composition((method or self.make(),)))

    def train(self, method: Method | None = None) -> Trained:
        """Train for the compared steps as a run does, and watch the hooks; arguments as of `build`."""
        watch = Watch()
        with kept():
            trainer = self.build(watch.over(method or self.make()))
            seed_globally(self.cell.seed, "training")
            random, begun = global_state(), _copied(trainer.state_dict())
            trainer.advance(self.half)
            halfway = _copied(trainer.state_dict())
            trainer.advance(self.compared - self.half)
            return Trained(trainer, begun, halfway, trainer.state_dict(), not same(global_state(), random), watch)

    @cached_property
    def trained(self) -> Trained:
        """The method, trained."""
        return self.train()

    @cached_property
    def control(self) -> Trained:
        """The unconstrained critic, trained alike."""
        return self.train(_Control())

    def points(self, trainer: Trainer, count: int) -> tuple[Tensor, Tensor]:
        """Held-out real and generated points, at most `count` of each, (n, c, h, w) in [−1, 1]."""
        count = min(count, len(self.pictures.held_out))
        averaged: nn.Module = settled(trainer.averaged.module)
        fake = generate(averaged, latents(self.cell, count, CPU))
        return to_unit(self.pictures.held_out[:count]), to_unit(fake)


def _copied(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach().clone()
    if isinstance(state, dict):
        return {key: _copied(value) for key, value in state.items()}
    return type(state)(_copied(value) for value in state) if isinstance(state, list | tuple) else state
