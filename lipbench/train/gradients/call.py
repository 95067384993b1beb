"""A call of a function on recorded tensors: what it is called, what it changes, what it was given."""

from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload, OpOverloadPacket

SUMS, SCALES = {"add", "sub"}, {"mul", "div"}
OPERATORS = {"iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul", "truediv": "div",
             "itruediv": "div", "idiv": "div", "concat": "cat", "concatenate": "cat"}  # fmt: skip


class UnsupportedOperation(Exception):  # noqa: N818 - not a fault: another engine takes over
    """The critic does something that the three sweeps do not know."""


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
    """

    func: Any
    args: list[Any]
    options: dict[str, Any]
    recorded: dict[int, int]
    count: int
    dtype: torch.dtype | None
    slot: int

    @property
    def written(self) -> str:
        """The function's own name; nothing for what is not torch's, whatever it is called."""
        home = self.func.__module__.partition(".")[0] if isinstance(self.func, FunctionType) else "torch"
        foreign = home != "torch"
        custom = isinstance(self.func, OpOverload | OpOverloadPacket)
        return "" if foreign or custom else getattr(self.func, "__name__", "")

    @property
    def name(self) -> str:
        """What it does, however it is written: ``add`` for ``+``, ``+=``, ``torch.add`` and ``add_``."""
        bare = self.written.strip("_")
        return OPERATORS.get(bare, bare)

    @property
    def in_place(self) -> bool:
        """Whether it changes its first argument."""
        dunder = self.written.startswith("__")
        return bool(self.options.get("inplace")) or (
            self.written.startswith("__i") and self.name in SUMS | SCALES if dunder else self.written.endswith("_")
        )

    @property
    def inputs(self) -> list[Tensor]:
        """The recorded tensors, each once, in the order in which they stand."""
        found = {
            id(thing): thing for thing in tensors([*self.args, *self.options.values()]) if id(thing) in self.recorded
        }
        return list(found.values())

    def named(self, names: tuple[str, ...], defaults: tuple[Any, ...]) -> list[Any]:
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
