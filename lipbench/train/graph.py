"""A training step as a CUDA graph: its kernels are launched at once, where one after another they leave a GPU idle.

A graph repeats what the device did while it was captured. So whatever the host decides goes in as a tensor (pictures,
learning rates), there is a graph for each pattern of penalties that are due, and before any of it is used, one step is
made both ways and compared. Where the two differ, or the host takes part in a step, steps are made one by one, and the
reason is kept.
"""

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Replay = Callable[[], None]

WARM = 3  # steps of a pattern before it is captured: libraries choose their kernels and make their workspaces
MOST = 8  # graphs: each holds the memory of a step
ROUNDING, COARSE = 0.05, 0.3  # how far a graph may be from the step, of the step's own change
SWITCH = "LIPBENCH_CUDA_GRAPH"  # 0 in the environment: steps one by one


class Backend(ABC):
    """What captures."""

    @abstractmethod
    def apart(self) -> AbstractContextManager[None]:
        """Inside the block, work is given to a stream of its own, which waits for the others and they for it."""

    @abstractmethod
    def waits(self) -> AbstractContextManager[list[str]]:
        """Inside the block, where the host waits for the device is noted."""

    @abstractmethod
    def capture(self, work: Callable[[], Tensor], draws: list[torch.Generator]) -> tuple[Tensor, Replay]:
        """Note what `work` has the device do, without doing it.

        Args:
            work: is called once, inside `apart`.
            draws: from which it may draw.

        Returns:
            Where its result will be, and what does all of it.
        """


class Cuda(Backend):
    """Captures on a CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device)
        self._pool: Any = torch.cuda.graph_pool_handle()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """See `Backend.apart`."""
        others = torch.cuda.current_stream(self.device)
        self._stream.wait_stream(others)
        with torch.cuda.stream(self._stream):
            yield
        others.wait_stream(self._stream)

    @contextmanager
    def waits(self) -> Iterator[list[str]]:
        """See `Backend.waits`; torch knows most of them."""
        found: list[str] = []
        before = torch.cuda.get_sync_debug_mode()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                yield found
            finally:
                torch.cuda.set_sync_debug_mode(before)
                found += [f"{w.filename}, line {w.lineno}" for w in said if "synchronizing" in str(w.message)]

    def capture(self, work: Callable[[], Tensor], draws: list[torch.Generator]) -> tuple[Tensor, Replay]:
        """See `Backend.capture`."""
        graph = torch.cuda.CUDAGraph()
        for generator in draws:
            if generator not in torch.cuda.default_generators:  # these are known to every graph
                graph.register_generator_state(generator)
        try:
            # Graphs may share their memory: each writes all that it reads of it, and is replayed alone.
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                found = work()
        except RuntimeError:
            for generator in draws:  # their states take themselves for captured still, and would refuse to be used
                generator.graphsafe_set_state(torch.Generator(self.device).graphsafe_get_state())
            raise
        return found, graph.replay


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
class _Moment:
    """The state of a training at one time."""

    tensors: dict[str, Tensor]
    draws: list[Tensor]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, training: Graphed) -> "_Moment":
        tensors = {name: tensor.clone() for name, tensor in training.state().items()}
        return cls(tensors, [each.get_state() for each in training.draws()], training.counts)

    def restore(self, training: Graphed) -> None:
        for name, tensor in training.state().items():
            tensor.copy_(self.tensors[name])
        for generator, state in zip(training.draws(), self.draws, strict=True):
            generator.set_state(state)
        training.counts = self.counts

    def change(self, later: "_Moment", kind: str) -> Tensor:
        """What has happened to the numbers of a kind, as one vector."""
        pairs = [(self.tensors[name], each) for name, each in later.tensors.items() if name.startswith(kind)]
        return torch.cat([(new.double() - old.double()).flatten() for old, new in pairs])


@dataclass(frozen=True)
class _Graph:
    given: tuple[Tensor, ...]
    losses: Tensor
    replay: Replay
    counted: tuple[int, ...]


class Graphs:
    """Makes the steps of a training, by graphs where these are proven.

    Args:
        training: whose steps are made.
        backend: what captures them.

    Attributes:
        reason: why steps are made one by one; None as long as they need not be.
    """

    def __init__(self, training: Graphed, backend: Backend) -> None:
        self.training = training
        self.backend = backend
        off = os.environ.get(SWITCH) == "0"
        self.reason: str | None = f"{SWITCH}=0 asks for single steps" if off else None
        self._graphs: dict[Hashable, _Graph] = {}
        self._seen: dict[Hashable, int] = {}

    @property
    def is_used(self) -> bool:
        """Whether a graph makes steps."""
        return bool(self._graphs)

    def forget(self) -> None:
        """Drop all graphs: they know where the state was, and it has been replaced."""
        self._graphs.clear()
        self._seen.clear()

    def step(self, pattern: Hashable, given: tuple[Tensor, ...]) -> Tensor:
        """Make a step.

        Args:
            pattern: steps of equal patterns do the same.
            given: what it works on, of the same shapes at each step of a pattern.

        Returns:
            The losses.
        """
        training = self.training
        with self.backend.apart():
            if graph := self._graphs.get(pattern):
                for mine, new in zip(graph.given, given, strict=True):
                    mine.copy_(new)
                graph.replay()
                training.counts = tuple(map(sum, zip(training.counts, graph.counted, strict=True)))
                return graph.losses.clone()
            self._seen[pattern] = self._seen.get(pattern, 0) + 1
            if self.reason is None and self._seen[pattern] > WARM and len(self._graphs) < MOST:
                return self._capture(pattern, given)
            return training.work(*given)

    def _capture(self, pattern: Hashable, given: tuple[Tensor, ...]) -> Tensor:
        """Make a step in both ways, and keep the graph if they agree."""
        training = self.training
        before, kept = _Moment.of(training), training.kept()
        with self.backend.waits() as waits:
            losses = training.work(*given)
        changed = [place for place, value in training.kept().items() if kept.get(place) != value]
        if waits:
            self.reason = f"the host waits for the device in a step ({waits[0]})"
        elif changed:
            self.reason = f"a step changes {changed[0]} on the host"
        if self.reason is not None:
            return losses
        single, static = _Moment.of(training), tuple(tensor.clone() for tensor in given)
        before.restore(training)
        try:
            found, replay = self.backend.capture(lambda: training.work(*static), training.draws())
            replay()
            self.reason = _difference(before, (single, losses), (_Moment.of(training), found))
        except RuntimeError as error:  # CUDA says what cannot be captured
            self.reason = f"a step cannot be captured: {str(error).splitlines()[0]}"
        if self.reason is not None:
            self.forget()
            single.restore(training)
            return losses
        counted = tuple(now - then for now, then in zip(single.counts, before.counts, strict=True))
        self._graphs[pattern] = _Graph(static, found, replay, counted)
        return found.clone()


def _difference(before: _Moment, single: tuple[_Moment, Tensor], graph: tuple[_Moment, Tensor]) -> str | None:
    """What a graph has done otherwise than the step itself, beyond rounding; None if nothing."""
    (one, losses), (other, found) = single, graph
    if any(not torch.equal(mine, theirs) for mine, theirs in zip(one.draws, other.draws, strict=True)):
        return "a graph draws other random numbers"
    if not torch.allclose(losses, found, rtol=ROUNDING, atol=ROUNDING):
        return f"a graph gives losses of {found.tolist()}, where the step gives {losses.tolist()}"
    for kind in dict.fromkeys(name.partition(":")[0] for name in one.tensors):
        mine, theirs = before.change(one, kind), before.change(other, kind)
        # Adam takes a step of full length even where a gradient is the rounding of 0, in either direction.
        most = (ROUNDING if kind.startswith("gradients") else COARSE) * float(mine.norm())
        if not float((mine - theirs).norm()) <= most:
            return f"a graph changes the {kind} otherwise than the step does"
    return None
