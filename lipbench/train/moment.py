"""The state of a training at one time, by which two ways to make a step are compared."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

ROUNDING, COARSE = 0.05, 0.3  # how far one way may be from the other, of the step's own change


class Graphed(ABC):
    """What a graph must know of a training."""

    counts: tuple[int, ...]  # on the host: of steps made

    @abstractmethod
    def work(self, *given: Tensor) -> Tensor:
        """Make a step on the device, and count it; the losses, detached."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """All numbers on the device that a step changes, by what they are; each changes in place."""

    @abstractmethod
    def draws(self) -> list[torch.Generator]:
        """The generators that a step draws from."""

    @abstractmethod
    def kept(self) -> dict[str, object]:
        """What the host keeps from step to step, by where: a graph would not change it."""


@dataclass(frozen=True)
class Moment:
    """The state of a training at one time, on the CPU: the device may have no room for it."""

    tensors: dict[str, Tensor]
    draws: list[Tensor]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, training: Graphed) -> "Moment":
        """The present one, in copies."""
        tensors = {name: tensor.to("cpu", copy=True) for name, tensor in training.state().items()}
        return cls(tensors, [each.get_state() for each in training.draws()], training.counts)

    def restore(self, training: Graphed) -> None:
        """Go back to it, in the same memory."""
        for name, tensor in training.state().items():
            tensor.copy_(self.tensors[name])
        for generator, state in zip(training.draws(), self.draws, strict=True):
            generator.set_state(state)
        training.counts = self.counts

    def change(self, later: "Moment", kind: str) -> Tensor:
        """What has happened to the numbers of a kind, counters aside, as one vector."""
        names = [name for name in later.tensors if name.startswith(f"{kind}:") and name not in later.counters()]
        changes = [(later.tensors[name].double() - self.tensors[name].double()).flatten() for name in names]
        return torch.cat([torch.zeros(0, dtype=torch.float64), *changes])

    def counters(self) -> dict[str, Tensor]:
        """The numbers that count steps."""
        return {
            name: tensor
            for name, tensor in self.tensors.items()
            if not tensor.is_floating_point() or name.rpartition(":")[2].startswith("step ")
        }


def difference(before: Moment, single: tuple[Moment, Tensor], graph: tuple[Moment, Tensor]) -> str | None:
    """What a graph has done otherwise than the step itself, beyond rounding; None if nothing."""
    (one, losses), (other, found) = single, graph
    if any(not torch.equal(mine, theirs) for mine, theirs in zip(one.draws, other.draws, strict=True)):
        return "a graph draws other random numbers"
    if not torch.allclose(losses, found, rtol=ROUNDING, atol=ROUNDING):
        return f"a graph gives losses of {found.tolist()}, where the step gives {losses.tolist()}"
    counters = other.counters()
    if any(not torch.equal(count, counters[name]) for name, count in one.counters().items()):
        return "a graph counts its steps otherwise"
    for kind in dict.fromkeys(name.partition(":")[0] for name in one.tensors):
        mine, theirs = before.change(one, kind), before.change(other, kind)
        # Adam takes a step of full length even where a gradient is the rounding of 0, in either direction.
        most = (ROUNDING if kind.startswith("gradients") else COARSE) * float(mine.norm())
        if not float((mine - theirs).norm()) <= most:
            return f"a graph changes the {kind} otherwise than the step does"
    return None
