"""A call that can be made again with other tensors in place of the recorded ones."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_map

from lipbench.train.gradients.call import Call


@dataclass(frozen=True)
class _Place:
    """Where a tensor stood: what is called again must not hold the recorded activations themselves."""

    index: int


@dataclass(frozen=True)
class _Weight:
    """Where a weight stood."""

    index: int
    by_sample: bool


@dataclass(frozen=True)
class _BySample:
    """A constant tensor that has something else for each sample."""

    value: Tensor


class Replay:
    """The call as a function of its recorded tensors and its weights.

    Args:
        call: as it was made.
        inputs: what is replaced: the recorded tensors, and constants that are treated like them.
        weights: what else is replaced.
        by_sample: the ids of constants and weights, (n, …), that have something else for each sample.
    """

    def __init__(
        self, call: Call, inputs: Sequence[Tensor], weights: Sequence[Tensor] = (), by_sample: Collection[int] = ()
    ) -> None:
        places: dict[int, Any] = {id(tensor): _Place(index) for index, tensor in enumerate(inputs)}
        places |= {id(tensor): _Weight(index, id(tensor) in by_sample) for index, tensor in enumerate(weights)}
        places |= {
            id(tensor): _BySample(tensor)
            for tensor in call.strangers
            if id(tensor) in by_sample and id(tensor) not in places
        }
        self.func = call.func
        self.dtypes = [tensor.dtype for tensor in inputs]
        self.template = tree_map(lambda thing: places.get(id(thing), thing), (call.args, call.options))

    def __call__(
        self, given: Sequence[Tensor], weights: Sequence[Tensor] = (), rows: slice = slice(None)
    ) -> list[Tensor]:
        """Make the call.

        Args:
            given: in place of the inputs, for the samples in `rows`.
            weights: in place of the weights, whole.
            rows: a part of the batch.
        """

        def fill(thing: Any) -> Any:
            if isinstance(thing, _Place):
                return given[thing.index].to(self.dtypes[thing.index])  # a sweep may come in more than half precision
            if isinstance(thing, _Weight):
                return weights[thing.index][rows] if thing.by_sample else weights[thing.index]
            return thing.value[rows] if isinstance(thing, _BySample) else thing

        args, options = tree_map(fill, self.template)
        out = self.func(*args, **options)
        return [thing for thing in out if isinstance(thing, Tensor)] if isinstance(out, tuple | list) else [out]
