"""From the call of a function on recorded tensors to the operation that it is, if the three sweeps know it.

`RECOGNISERS` is the place for one more: what is linear goes to `linear`, what is made of others to `rewrites`.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.train.gradients import linear
from lipbench.train.gradients.call import SUMS, Call, UnsupportedOperation, tensors
from lipbench.train.gradients.linear import Recognised
from lipbench.train.gradients.operations import Choice, Leaky, Order, Reshape

RESHAPES = {
    "flatten", "reshape", "view", "squeeze", "unsqueeze", "contiguous", "float", "double", "to", "type_as", "type",
    "clone", "unflatten", "view_as", "reshape_as", "ravel", "cpu", "cuda",
}  # fmt: skip
PICKS = {"sort", "topk", "kthvalue", "median", "cummax", "cummin"}
CONVOLUTIONS = {f"conv{dims}d" for dims in (1, 2, 3)} | {f"conv_transpose{dims}d" for dims in (1, 2, 3)}
POOLS = {f"{kind}max_pool{dims}d": dims for kind in ("", "adaptive_") for dims in (1, 2, 3)}
# Constant inside a linear piece, and for autograd: what is made of them is as good as any other constant.
FROZEN = {
    "gt", "ge", "lt", "le", "eq", "ne", "sign", "detach", "argmax", "argmin", "argsort", "isnan", "isfinite",
    "zeros_like", "ones_like", "full_like", "rand_like", "randn_like",
    "new_zeros", "new_ones", "new_full", "new_tensor",
}  # fmt: skip
# While a pass is recorded no activation has a history: code that asks for one would go another way than by autograd.
HISTORY = {"requires_grad", "grad_fn", "is_leaf", "grad"}


def recognise(call: Call) -> Recognised:
    """Do the call, though never in place.

    Returns:
        What it gives, and the operations to record; none where nothing flows on (a shape, a device, a mask).

    Raises:
        UnsupportedOperation: it is not known.
    """
    recogniser = RECOGNISERS.get(call.name)
    if "out" in call.options or not call.args:
        raise UnsupportedOperation(f"{call.written} as it is used here")
    if recogniser is not None:
        return recogniser(call)
    if not call.written:
        raise UnsupportedOperation("a function that is not torch's")
    if call.name in HISTORY:
        raise UnsupportedOperation("what looks at a history")
    if call.in_place or call.name in ("setitem", "register_hook"):
        raise UnsupportedOperation(call.written)
    out = call.func(*call.args, **call.options)
    if tensors([out]) and call.name not in FROZEN:
        raise UnsupportedOperation(call.name)
    return out, []


def _affine(call: Call) -> Recognised:
    if call.name == "linear":
        x, weight, bias = call.arguments(("input", "weight", "bias"), (None,))
        return linear.affine(call, x, weight, bias, None)
    transposed = call.name.startswith("conv_transpose")
    last = ("output_padding", "groups", "dilation") if transposed else ("dilation", "groups")
    names = ("input", "weight", "bias", "stride", "padding", *last)
    given = dict(
        zip(names, call.arguments(names, (None, 1, 0, 0, 1, 1) if transposed else (None, 1, 0, 1, 1)), strict=True)
    )
    x, weight = given["input"], given["weight"]
    if x.dim() != weight.dim():
        raise UnsupportedOperation(f"{call.name} of a single sample")
    stride, padding, dilation, more = (
        _spread(given.get(name, 0), weight.dim() - 2) for name in ("stride", "padding", "dilation", "output_padding")
    )
    return linear.affine(call, x, weight, given["bias"], (stride, padding, dilation, transposed, more, given["groups"]))


def _spread(item: Any, dims: int) -> list[int]:
    """One number for each dimension."""
    items = [item] if isinstance(item, int) else list(item)
    return items * dims if len(items) == 1 else items


def _leaky(call: Call) -> Recognised:
    x, slope = call.arguments(("input", "negative_slope"), (0.0 if call.name == "relu" else 0.01,))
    if slope < 0:
        raise UnsupportedOperation(f"{call.name} with a negative slope of {slope}")
    out = torch.relu(x) if slope == 0 else F.leaky_relu(x, slope)
    return out, [Leaky([call.recorded[id(x)]], [call.new_slot()], float(slope), out.detach())]


def _extreme(call: Call) -> Recognised:
    """The larger or smaller of two tensors, or of the numbers along a dimension."""
    others = [*call.args[1:], *(call.options[key] for key in ("other", "dim") if key in call.options)]
    if not others:
        raise UnsupportedOperation(f"{call.name} across the batch")
    if not isinstance(others[0], Tensor):
        return _order(call)
    first, second = call.args[0], others[0]
    operations, leaves = linear.constants(call, [first, second])
    first, second = leaves.get(id(first), first), leaves.get(id(second), second)
    if first.shape != second.shape:
        raise UnsupportedOperation(f"{call.name} of two shapes")
    larger = (first > second).to(first.dtype) + 0.5 * (first == second).to(first.dtype)
    of_larger = call.name.startswith("max")
    out = torch.maximum(first, second) if of_larger else torch.minimum(first, second)
    slots = [call.recorded[id(first)], call.recorded[id(second)]]
    return out.detach(), [*operations, Choice(slots, [call.new_slot()], larger if of_larger else 1 - larger)]


def _order(call: Call) -> Recognised:
    x = call.args[0]
    out = call.func(*call.args, **call.options)
    known = {"topk": ("input", "k", "dim"), "kthvalue": ("input", "k", "dim")}.get(call.name, ("input", "dim"))
    dim = call.arguments(known, (-1,))[-1]
    if not isinstance(dim, int) or not isinstance(out, tuple):
        raise UnsupportedOperation(f"{call.name} as it is used here")
    dim %= x.dim()
    if dim == 0:
        raise UnsupportedOperation(f"{call.name} across the batch")
    squeezed = out[1].dim() < x.dim()
    index = out[1].unsqueeze(dim) if squeezed else out[1]
    return out, [Order([call.recorded[id(x)]], [call.new_slot()], dim, index, 0, x.shape, squeezed)]


def _pool(call: Call) -> Recognised:
    x, dims = call.args[0], POOLS[call.name]
    if x.dim() != dims + 2 or len(x) % call.count:
        raise UnsupportedOperation(f"{call.name} of something else than a batch")
    out, index = call.func(*call.args, **{**call.options, "return_indices": True})
    operation = Order([call.recorded[id(x)]], [call.new_slot()], 2, index, dims, x.shape, squeezed=False)
    return (out, index) if call.options.get("return_indices") else out, [operation]


def _reshape(call: Call) -> Recognised:
    x = call.args[0]
    if id(x) not in call.recorded:  # weight.type_as(recorded)
        return linear.unrecorded(call)
    out: Tensor = call.func(*call.args, **call.options)
    if out.dim() == 0 or out.shape[0] % call.count or x.shape[0] % call.count:
        raise UnsupportedOperation(f"{call.name} across the batch")
    if not out.is_floating_point() or (call.name == "view" and out.dtype != x.dtype):
        raise UnsupportedOperation(f"{call.name} to numbers that are not the same floating-point ones")
    return out, [] if out is x else [Reshape([call.recorded[id(x)]], [call.new_slot()], x.shape, out.shape)]


RECOGNISERS: dict[str, Callable[[Call], Recognised]] = {
    **dict.fromkeys({"linear", *CONVOLUTIONS}, _affine),
    **dict.fromkeys({"relu", "leaky_relu"}, _leaky),
    **dict.fromkeys({"maximum", "minimum", "max", "min"}, _extreme),
    **dict.fromkeys(PICKS, _order),
    **dict.fromkeys(POOLS, _pool),
    **dict.fromkeys(RESHAPES, _reshape),
    **dict.fromkeys(linear.LINEAR | linear.BY_SAMPLE, linear.linear),
    "getitem": linear.getitem,
    **dict.fromkeys({"expand", "broadcast_to"}, linear.expand),
    **dict.fromkeys(linear.PRODUCTS, linear.product),
    **dict.fromkeys({*SUMS, "where"}, linear.add),
    **dict.fromkeys(linear.JOINS, linear.join),
}
