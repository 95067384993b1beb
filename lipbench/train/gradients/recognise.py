"""From the call of a function on recorded tensors to the operation that it is, if the three sweeps know it."""

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch._ops import OpOverload, OpOverloadPacket

from lipbench.train.gradients.operations import Affine, Choice, Leaky, Linear, Operation, Order, Reshape

RESHAPES = {"flatten", "reshape", "view", "squeeze", "unsqueeze", "contiguous", "float"}
SUMS, SCALES = {"add", "sub"}, {"mul", "div"}
LINEAR = {
    *SUMS, *SCALES, "neg", "mean", "sum", "cat", "chunk", "split", "getitem", "permute", "transpose", "movedim", "pad",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "interpolate", "pixel_shuffle", "pixel_unshuffle",
}  # fmt: skip
OPERATORS = {"iadd": "add", "radd": "add", "isub": "sub", "imul": "mul", "rmul": "mul", "truediv": "div",
             "itruediv": "div", "idiv": "div", "concat": "cat", "concatenate": "cat"}  # fmt: skip


# While a pass is recorded no activation has a history: code that asks for one would go another way than by autograd.
HISTORY = {getattr(torch.Tensor, name).__get__ for name in ("requires_grad", "grad_fn", "is_leaf")}


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


Recognised = tuple[Any, Operation | None, Any]


def recognise(call: Call) -> Recognised:
    """Do the call.

    Returns:
        What it gives; the operation to record, or None where nothing flows on (a shape, a device); and the tensor that
        a call in place has changed, or None.

    Raises:
        UnsupportedOperation: it is not known.
    """
    for names, recogniser in RECOGNISERS:
        if call.name in names:
            out, operation = recogniser(call)
            return out, operation, call.inputs[0] if call.in_place else None
    if not call.written:
        raise UnsupportedOperation("a function that is not torch's")
    if call.in_place or call.name in ("setitem", "register_hook") or call.func in HISTORY:
        raise UnsupportedOperation("what looks at a history" if call.func in HISTORY else call.written)
    out = call.func(*call.args, **call.options)
    if tensors([out]):
        raise UnsupportedOperation(call.name)
    return out, None, None


def _affine(call: Call) -> tuple[Any, Operation]:
    settings: tuple[Any, ...] | None = None
    if call.name == "linear":
        x, weight, bias = call.named(("input", "weight", "bias"), (None,))
    else:
        names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
        x, weight, bias, stride, padding, dilation, groups = call.named(names, (None, 1, 0, 1, 1))
        if isinstance(padding, str):
            raise UnsupportedOperation(f"{call.name} with padding={padding!r}")
        spread = [
            [item] * (weight.dim() - 2) if isinstance(item, int) else list(item) for item in (stride, padding, dilation)
        ]
        settings = (*spread, groups)
    slot = call.recorded.get(id(x))
    if slot is None or len(call.recorded) > 1 or len(x) != call.count or (settings and x.dim() != weight.dim()):
        raise UnsupportedOperation(f"{call.name} of something else than a batch and a weight")
    if call.dtype is not None:
        with torch.enable_grad():  # the conversion belongs to the weight's history
            weight, bias = weight.to(call.dtype), None if bias is None else bias.to(call.dtype)
        x = x.to(call.dtype)
    if settings is None:
        out = F.linear(x, weight, bias)
    else:
        stride, padding, dilation, groups = settings
        unused = [0] * len(stride)
        out = torch.ops.aten.convolution(x, weight, bias, stride, padding, dilation, False, unused, groups)
    return out, Affine([slot], [call.slot], weight, bias, settings, x)


def _leaky(call: Call) -> tuple[Any, Operation]:
    x, slope = call.named(("input", "negative_slope"), (0.0 if call.name == "relu" else 0.01,))
    if slope < 0:
        raise UnsupportedOperation(f"{call.name} with a negative slope of {slope}")
    out = torch.relu(x) if slope == 0 else F.leaky_relu(x, slope)
    return out, Leaky([call.recorded[id(x)]], [call.slot], float(slope), out)


def _choice(call: Call) -> tuple[Any, Operation]:
    first, second = (*call.args, None)[:2]
    if len(call.recorded) != 2 or call.options or len(call.args) != 2 or first.shape != second.shape:
        raise UnsupportedOperation(f"{call.name} as it is used here")
    larger = (first > second).to(first.dtype) + 0.5 * (first == second).to(first.dtype)
    out, weight = (
        (torch.maximum(first, second), larger)
        if call.name.startswith("max")
        else (torch.minimum(first, second), 1 - larger)
    )
    return out, Choice([call.recorded[id(first)], call.recorded[id(second)]], [call.slot], weight)


def _order(call: Call) -> tuple[Any, Operation]:
    (x,) = call.inputs
    out = call.func(*call.args, **call.options)
    dim = int(call.args[1] if len(call.args) > 1 else call.options.get("dim", -1)) % x.dim()
    if dim == 0:
        raise UnsupportedOperation("sort across the batch")
    return out, Order([call.recorded[id(x)]], [call.slot], dim, out[1])


def _reshape(call: Call) -> tuple[Any, Operation | None]:
    (x,) = call.inputs
    out: Tensor = call.func(*call.args, **call.options)
    if out.dim() == 0 or len(out) != call.count or len(x) != call.count:
        raise UnsupportedOperation(f"{call.name} across the batch")
    return out, None if out is x else Reshape([call.recorded[id(x)]], [call.slot], x.shape, out.shape)


@dataclass(frozen=True)
class _Place:
    """A recorded tensor's place: what is called again must not hold the recorded activations themselves."""

    index: int


def _linear(call: Call) -> tuple[Any, Operation]:
    _check_linear(call)
    inputs = call.inputs
    places = {id(tensor): _Place(index) for index, tensor in enumerate(inputs)}
    arguments, options = _replaced(call.args, places), _replaced(call.options, places)
    function: Callable[..., Any] = getattr(torch, call.name) if call.name in SUMS | SCALES else call.func

    def again(given: list[Tensor]) -> list[Tensor]:
        out = function(*_filled(arguments, given), **_filled(options, given))
        return list(out) if isinstance(out, tuple | list) else [out]

    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in inputs]
        results = again(leaves)
    if any(result.dim() == 0 or len(result) != call.count for result in results):
        raise UnsupportedOperation(f"{call.name} across the batch")
    outputs = list(range(call.slot, call.slot + len(results)))
    operation = Linear([call.recorded[id(tensor)] for tensor in inputs], outputs, again, leaves, results)
    detached = [result.detach() for result in results]
    return tuple(detached) if call.name in ("chunk", "split") else detached[0], operation


def _check_linear(call: Call) -> None:
    """See that the call is linear in its recorded tensors together: no constant summand, no product of two."""
    everything = tensors([*call.args, *call.options.values()])
    strangers = [thing for thing in everything if id(thing) not in call.recorded]
    recorded = len(everything) - len(strangers)
    first = call.args[0] if call.args else None
    refused = (
        (call.name in SUMS and recorded < 2)
        or (call.name in SCALES and recorded > 1)
        or (call.name == "div" and id(first) not in call.recorded)
        or (call.name in SCALES and bool(call.options))
        or (call.name == "interpolate" and call.options.get("mode", "nearest") not in ("nearest", "area"))
        or (call.name == "pad" and bool((*call.args, 0, 0, 0)[3] if len(call.args) > 3 else call.options.get("value")))
        or (bool(strangers) and call.name not in SCALES)
        or any(thing.requires_grad for thing in strangers)
    )
    if refused:
        raise UnsupportedOperation(f"{call.name} as it is used here")


def tensors(things: Any) -> list[Tensor]:
    """The tensors among things, in lists and tuples, too."""
    found: list[Tensor] = []
    for thing in things:
        if isinstance(thing, Tensor):
            found.append(thing)
        elif isinstance(thing, tuple | list):
            found += tensors(thing)
    return found


def _replaced(things: Any, places: dict[int, _Place]) -> Any:
    if isinstance(things, dict):
        return {key: _replaced(item, places) for key, item in things.items()}
    if isinstance(things, list):
        return [_replaced(item, places) for item in things]
    if isinstance(things, tuple):
        return tuple(_replaced(item, places) for item in things)
    return places.get(id(things), things)


def _filled(things: Any, given: list[Tensor]) -> Any:
    if isinstance(things, dict):
        return {key: _filled(item, given) for key, item in things.items()}
    if isinstance(things, list):
        return [_filled(item, given) for item in things]
    if isinstance(things, tuple):
        return tuple(_filled(item, given) for item in things)
    return given[things.index] if isinstance(things, _Place) else things


RECOGNISERS: list[tuple[set[str], Callable[[Call], tuple[Any, Operation | None]]]] = [
    ({"linear", "conv1d", "conv2d", "conv3d"}, _affine),
    ({"relu", "leaky_relu"}, _leaky),
    ({"maximum", "minimum", "max", "min"}, _choice),
    ({"sort"}, _order),
    (RESHAPES, _reshape),
    (LINEAR, _linear),
]
