"""A training step as a CUDA graph: its kernels are launched at once, where one after another they leave a GPU idle.

A graph repeats what the device did while it was captured. So whatever the host decides goes in as a tensor (pictures,
learning rates), there is a graph for each pattern of penalties that are due, and before any of it is used, one step is
made both ways and compared. Where the two differ, or the host takes part in a step, steps are made one by one, and the
reason is kept.
"""

import gc
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lipbench.train.moment import Graphed, Moment, difference

Replay = Callable[[], None]

WARM = 3  # steps of a pattern before it is captured: libraries choose their kernels and make their workspaces
MOST = 8  # graphs: each holds the memory of a step
WAITS = "called a synchronizing"  # as torch's warnings begin where the host waits
REGISTERS = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 14)  # later, a graph finds its generators
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
    def capture(
        self, work: Callable[[], Tensor], draws: list[torch.Generator], *, first: bool
    ) -> tuple[Tensor, Replay]:
        """Note what `work` has the device do, without doing it.

        Args:
            work: is called once, inside `apart`.
            draws: from which it may draw.
            first: whether no other graph is there.

        Returns:
            Where its result will be, and what does all of it.
        """


class Cuda(Backend):
    """Captures on a CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device)
        self._pool: Any = None

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
                found += [f"{w.filename}, line {w.lineno}" for w in said if str(w.message).startswith(WAITS)]

    def capture(
        self, work: Callable[[], Tensor], draws: list[torch.Generator], *, first: bool
    ) -> tuple[Tensor, Replay]:
        """See `Backend.capture`."""
        if first:
            self._pool = torch.cuda.graph_pool_handle()
        gc.collect()  # what dies while a graph is captured may spoil it
        graph = torch.cuda.CUDAGraph()
        for generator in draws if REGISTERS else ():
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
        before, kept = Moment.of(training), training.kept()
        with self.backend.waits() as waits:
            losses = training.work(*given)
        changed = [place for place, value in training.kept().items() if kept.get(place) != value]
        if waits:
            self.reason = f"the host waits for the device in a step ({waits[0]})"
        elif changed:
            self.reason = f"a step changes {changed[0]} on the host"
        single = Moment.of(training)
        if self.reason is not None or single.tensors.keys() != before.tensors.keys():  # a weight's first gradient
            return losses
        static = tuple(tensor.clone() for tensor in given)
        before.restore(training)
        try:
            found, replay = self.backend.capture(
                lambda: training.work(*static), training.draws(), first=not self._graphs
            )
            replay()
            self.reason = difference(before, (single, losses), (Moment.of(training), found))
        except RuntimeError as error:  # CUDA says what cannot be captured; what ended the capture says more
            self.reason = f"a step cannot be captured: {str(error.__context__ or error).splitlines()[0]}"
        if self.reason is not None:
            self.forget()
            single.restore(training)
            return losses
        counted = tuple(now - then for now, then in zip(single.counts, before.counts, strict=True))
        self._graphs[pattern] = _Graph(static, found, replay, counted)
        return found.clone()
