"""From the call of a function on recorded tensors to the operation that it is, if the three sweeps know it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._pytree import tree_map

from lipbench.train.gradients.call import SCALES, SUMS, Call, UnsupportedOperation, tensors
from lipbench.train.gradients.operations import Affine, Choice, Leaky, Linear, Operation, Order, Reshape

RESHAPES = {"flatten", "reshape", "view", "squeeze", "unsqueeze", "contiguous", "float"}
LINEAR = {
    *SUMS, *SCALES, "neg", "mean", "sum", "cat", "chunk", "split", "getitem", "permute", "transpose", "movedim", "pad",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "interpolate", "pixel_shuffle", "pixel_unshuffle",
}  # fmt: skip
# While a pass is recorded no activation has a history: code that asks for one would go another way than by autograd.
HISTORY = {getattr(torch.Tensor, name).__get__ for name in ("requires_grad", "grad_fn", "is_leaf")}

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
    if call.func in HISTORY:
        raise UnsupportedOperation("what looks at a history")
    if call.in_place or call.name in ("setitem", "register_hook"):
        raise UnsupportedOperation(call.written)
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
    of_larger = call.name.startswith("max")
    out = torch.maximum(first, second) if of_larger else torch.minimum(first, second)
    slots = [call.recorded[id(first)], call.recorded[id(second)]]
    return out, Choice(slots, [call.slot], larger if of_larger else 1 - larger)


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
    template = tree_map(lambda thing: places.get(id(thing), thing), (call.args, call.options))
    function: Callable[..., Any] = getattr(torch, call.name) if call.name in SUMS | SCALES else call.func

    def again(given: list[Tensor]) -> list[Tensor]:
        args, named = tree_map(lambda thing: given[thing.index] if isinstance(thing, _Place) else thing, template)
        out = function(*args, **named)
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
        or (call.name == "pad" and bool(call.args[3] if len(call.args) > 3 else call.options.get("value")))
        or (bool(strangers) and call.name not in SCALES)
        or any(thing.requires_grad for thing in strangers)
    )
    if refused:
        raise UnsupportedOperation(f"{call.name} as it is used here")


RECOGNISERS: list[tuple[set[str], Callable[[Call], tuple[Any, Operation | None]]]] = [
    ({"linear", "conv1d", "conv2d", "conv3d"}, _affine),
    ({"relu", "leaky_relu"}, _leaky),
    ({"maximum", "minimum", "max", "min"}, _choice),
    ({"sort"}, _order),
    (RESHAPES, _reshape),
    (LINEAR, _linear),
]
