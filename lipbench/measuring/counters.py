"""Counts operations and memory as torch dispatches them, in forward and backward passes alike, on any device."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class OperationCounter(TorchDispatchMode):
    """Counts inside its block; torch's own counter cannot, as it does not work under ``torch.autograd.grad``.

    Attributes:
        total: two for each multiply-add of convolutions and matrix products.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has types in part
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do it, and count it."""
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


class MemoryCounter(TorchDispatchMode):
    """Counts the bytes of what is made inside its block, for as long as it lives; asks no operating system.

    Attributes:
        peak: the largest number of bytes that were alive together.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has types in part
        self.peak = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do it, and look at what is alive then."""
        given = {thing.untyped_storage()._cdata for thing in tree_leaves((args, kwargs)) if isinstance(thing, Tensor)}
        out = func(*args, **(kwargs or {}))
        for thing in tree_leaves(out):
            if isinstance(thing, Tensor):
                storage = thing.untyped_storage()
                if storage._cdata not in given:  # what came in was there before, or is known already
                    self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, self.alive())
        return out

    def alive(self) -> int:
        """The bytes of what was made inside the block and is still there."""
        self._alive = {key: known for key, known in self._alive.items() if not known[0].expired()}
        return sum(size for _, size in self._alive.values())
