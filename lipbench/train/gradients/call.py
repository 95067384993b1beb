"""A call of a function on recorded tensors: what it is called, what it changes, what it was given."""

from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._ops import OpOverload, OpOverloadPacket

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
            self.func = getattr(torch, self.name, self.func)

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
