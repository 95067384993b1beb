"""A call of a function on recorded tensors: what it is called, what it changes, what it was given; and made again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._ops import OpOverload, OpOverloadPacket
from torch.utils._pytree import tree_map

SUMS, SCALES = {"add", "sub"}, {"mul", "div"}
OPERATORS = {
    "iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul", "multiply": "mul", "truediv": "div",
    "itruediv": "div", "idiv": "div", "divide": "div", "subtract": "sub", "concat": "cat", "concatenate": "cat",
    "absolute": "abs", "clip": "clamp", "negative": "neg", "greater": "gt", "less": "lt", "mm": "matmul",
}  # fmt: skip


class UnsupportedOperation(Exception):  # noqa: N818 - not a fault: another engine takes over
    """The critic does something that the three sweeps do not know."""


class Named(NamedTuple):
    """What a function is called.

    Attributes:
        written: its own name; nothing for what is not torch's, whatever it is called.
        name: what it does, however it is written: ``add`` for ``+``, ``+=``, ``torch.add`` and ``add_``.
        in_place: whether its name says that it changes its first argument.
    """

    written: str
    name: str
    in_place: bool


@lru_cache(4096)
def named(func: Any) -> Named:
    """What a function is called."""
    home = func.__module__.partition(".")[0] if isinstance(func, FunctionType) else "torch"
    if home != "torch" or isinstance(func, OpOverload | OpOverloadPacket):
        return Named("", "", in_place=False)
    written: str = getattr(func, "__name__", "")
    if written == "__get__":  # an attribute, such as Tensor.mT
        written = getattr(func.__self__, "__name__", "")
    bare = written.strip("_")
    name = OPERATORS.get(bare, bare)
    dunder = written.startswith("__")
    changes = written.startswith("__i") and name in SUMS | SCALES if dunder else written.endswith("_")
    return Named(written, name, changes)


@dataclass
class Call:
    """A call that has recorded tensors among its arguments.

    Attributes:
        func: the function or method of torch.
        args: its arguments.
        options: those given by name.
        recorded: the slot of each recorded tensor among them, by id.
        count: samples in the batch.
        dtype: what weights and activations are computed in; None leaves them as they are.
        slot: the first free slot.
        given: the tensors among arguments and options.
    """

    func: Any
    args: list[Any]
    options: dict[str, Any]
    recorded: dict[int, int]
    count: int
    dtype: torch.dtype | None
    slot: int
    given: list[Tensor]

    def __post_init__(self) -> None:
        self.written, self.name, in_place = named(self.func)
        if not self.args and (first := {"input", "tensors"} & self.options.keys()):
            self.args = [self.options.pop(first.pop())]
        if len(self.args) == 1 and (second := {"other", "mat2"} & self.options.keys()):
            self.args.append(self.options.pop(second.pop()))
        self.in_place = bool(self.options.pop("inplace", False)) or in_place
        if in_place:
            self.func = getattr(torch, self.name, None) or getattr(F, self.name, self.func)

    @property
    def inputs(self) -> list[Tensor]:
        """The recorded tensors, each once, in the order in which they stand."""
        return list({id(thing): thing for thing in self.given if id(thing) in self.recorded}.values())

    @property
    def times(self) -> int:
        """How often recorded tensors stand in it: once, where it may be a product."""
        return sum(id(thing) in self.recorded for thing in self.given)

    @property
    def strangers(self) -> list[Tensor]:
        """The tensors that do not depend on the points."""
        return [thing for thing in self.given if id(thing) not in self.recorded]

    def become(self, func: Any, args: list[Any], options: dict[str, Any]) -> None:
        """Let it be another call."""
        self.func, self.args, self.options = func, args, options
        self.given = tensors([*args, *options.values()])

    def new_slot(self) -> int:
        """Take a free slot."""
        self.slot += 1
        return self.slot - 1

    def arguments(self, names: tuple[str, ...], defaults: tuple[Any, ...]) -> list[Any]:
        """Arguments by name, wherever they were given; the last ones have defaults."""
        filled = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        filled |= dict(zip(names, self.args, strict=False))
        filled |= {key: value for key, value in self.options.items() if key in names}
        return [filled[name] for name in names]


def tensors(things: Any) -> list[Tensor]:
    """The tensors among things, in lists and tuples, too."""
    found: list[Tensor] = []
    for thing in things:
        if isinstance(thing, Tensor):
            found.append(thing)
        elif isinstance(thing, tuple | list):
            found += tensors(thing)
    return found


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
    """A call as a function of its recorded tensors and its weights.

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
