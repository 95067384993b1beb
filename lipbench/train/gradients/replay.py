"""A call that can be made again with other tensors in place of the recorded ones."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from lipbench.train.gradients.call import Call


@dataclass(frozen=True)
class _Gap:
    """Where a tensor stood, and what comes there: what is called again must not hold the recorded activations."""

    fill: Callable[[Sequence[Tensor], Sequence[Tensor], slice], Tensor]


def _input(index: int, dtype: torch.dtype) -> _Gap:
    return _Gap(lambda given, weights, rows: given[index].to(dtype))  # a sweep may come in more than half precision


def _weight(index: int, *, by_sample: bool) -> _Gap:
    return _Gap(lambda given, weights, rows: weights[index][rows] if by_sample else weights[index])


def _constant(value: Tensor) -> _Gap:
    return _Gap(lambda given, weights, rows: value[rows])


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
        gaps = {id(tensor): _constant(tensor) for tensor in call.strangers if id(tensor) in by_sample}
        gaps |= {id(tensor): _weight(row, by_sample=id(tensor) in by_sample) for row, tensor in enumerate(weights)}
        gaps |= {id(tensor): _input(row, tensor.dtype) for row, tensor in enumerate(inputs)}
        self.func = call.func
        self.template = tree_map(lambda thing: gaps.get(id(thing), thing), (call.args, call.options))

    def __call__(
        self, given: Sequence[Tensor], weights: Sequence[Tensor] = (), rows: slice = slice(None)
    ) -> list[Tensor]:
        """Make the call.

        Args:
            given: in place of the inputs, for the samples in `rows`.
            weights: in place of the weights, whole.
            rows: a part of the batch.
        """
        args, options = tree_map(
            lambda thing: thing.fill(given, weights, rows) if isinstance(thing, _Gap) else thing, self.template
        )
        out = self.func(*args, **options)
        return [thing for thing in out if isinstance(thing, Tensor)] if isinstance(out, tuple | list) else [out]
