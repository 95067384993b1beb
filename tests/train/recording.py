"""A stand-in for CUDA graphs on a CPU: what a step does to tensors is noted, and done again to the very same tensors.

As with a graph, whatever the host decided while it was noted is repeated: a number, a branch, an attribute.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from lipbench.train.graph import Backend, Replay
from lipbench.train.moment import Graphed, Moment

READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.equal", "aten.is_nonzero")


class Recorder(TorchDispatchMode):
    """Notes each operation with its inputs and outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, Sequence[Any], dict[str, Any], Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        before = _aliases((args, dict(kwargs or {})))
        out = func(*args, **(kwargs or {}))
        self.operations.append((func, *before, _aliases(out)))
        return out

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, options, out in self.operations:
            again = func(*_aliases(args), **_aliases(options))
            for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def _aliases(given: Any) -> Any:
    """The same memory under tensors of their own, as an operation may change the shape of what it is given."""
    return tree_map(lambda each: each.detach() if isinstance(each, Tensor) else each, given)


class Recording(Backend):
    """Captures the steps of a training on a CPU."""

    def __init__(self, training: Graphed) -> None:
        self.training = training
        self.captured = 0

    @contextmanager
    def apart(self) -> Iterator[None]:
        yield

    @contextmanager
    def waits(self) -> Iterator[list[str]]:
        found: list[str] = []
        with Recorder() as recorder:
            yield found
        found += [str(func) for func, *_ in recorder.operations if str(func).startswith(READS)]

    def capture(
        self, work: Callable[[], Tensor], draws: list[torch.Generator], *, first: bool
    ) -> tuple[Tensor, Replay]:
        before = Moment.of(self.training)
        with Recorder() as recorder:
            found = work()
        counts = self.training.counts
        before.restore(self.training)  # a graph is not run when it is captured
        self.training.counts = counts
        self.captured += 1
        return found, recorder.replay
