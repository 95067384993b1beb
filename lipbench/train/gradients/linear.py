"""Linear operations: each is made again, and undone by autograd, so that one more is a name in a list."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._pytree import tree_map

from lipbench.train.gradients.call import SCALES, SUMS, Call, Replay, UnsupportedOperation, tensors
from lipbench.train.gradients.learned import Affine, Constant, Weighted
from lipbench.train.gradients.operations import Linear, Operation

LINEAR = {
    "neg", "mean", "sum", "chunk", "split", "split_with_sizes", "tensor_split", "select", "narrow",
    "index_select", "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "mT", "pad",
    "expand_as", "repeat", "tile", "repeat_interleave", "unbind", "unfold", "fold", "flip", "fliplr",
    "roll", "rot90", "diagonal", "tril", "triu", "cumsum", "diff", "channel_shuffle", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "interpolate", "upsample",
    "upsample_nearest", "upsample_bilinear", "pixel_shuffle", "pixel_unshuffle",
}  # fmt: skip
BY_SAMPLE = {"gather", "take_along_dim", "grid_sample"}  # linear, by places that differ from sample to sample
JOINS = {"cat", "stack", "hstack"}
PRODUCTS = {"mul", "div", "matmul", "bmm", "einsum"}
Recognised = tuple[Any, list[Operation]]


def affine(call: Call, x: Tensor, weight: Tensor, bias: Tensor | None, settings: tuple[Any, ...] | None) -> Recognised:
    """A weight and a bias on a batch; settings as of `Affine`."""
    slot = call.recorded.get(id(x))
    if slot is None or len(call.recorded) > 1 or x.dim() < 2 or x.shape[0] % call.count or weight.dim() < 2:
        raise UnsupportedOperation(f"{call.name} of something else than a batch and a weight")
    if call.dtype is not None:
        with torch.enable_grad():  # the conversion belongs to the weight's history
            weight, bias = weight.to(call.dtype), None if bias is None else bias.to(call.dtype)
        x = x.to(call.dtype)
    out = F.linear(x, weight, bias) if settings is None else torch.ops.aten.convolution(x, weight, bias, *settings)
    return out, [Affine([slot], [call.new_slot()], weight, bias, settings, x.detach())]


def linear(call: Call) -> Recognised:
    """Of one recorded tensor, without weights."""
    args = call.args
    if call.name.endswith("_as") and id(args[0]) not in call.recorded:
        return unrecorded(call)
    if call.name in PRODUCTS and call.times > 1:
        raise UnsupportedOperation(f"{call.name} of two activations")
    refused = (
        (call.name == "div" and id(args[0]) not in call.recorded)
        or (call.name == "diff" and call.strangers)
        or (call.name in LINEAR | BY_SAMPLE and id(args[0]) not in call.recorded)
        or (call.name == "grid_sample" and call.times > 1)
        or any(thing.requires_grad for thing in call.strangers)
    )
    if refused:
        raise UnsupportedOperation(f"{call.name} as it is used here")
    return _by_autograd(call, call.inputs, [], {id(thing) for thing in call.strangers if is_by_sample(call, thing)})


def unrecorded(call: Call) -> Recognised:
    """Of a weight or a constant that takes a shape or a type alone from what is recorded: its history goes on."""
    with torch.enable_grad():
        return call.func(*call.args, **call.options), []


def getitem(call: Call) -> Recognised:
    """An index; one that picks something else of each sample, as ``x[arange(n), y]`` does, is made anew for a part."""
    x, index = call.args
    if isinstance(index, tuple) and len(index) == 2 and all(isinstance(thing, Tensor) for thing in index):
        samples, picked = index
        if not torch.equal(samples, torch.arange(len(x), device=samples.device)) or picked.shape != samples.shape:
            raise UnsupportedOperation("getitem across the batch")
        call.become(_picked, [x, picked], {})
        return _by_autograd(call, call.inputs, [], {id(picked)})
    return linear(call)


def _picked(x: Tensor, index: Tensor) -> Tensor:
    return x[torch.arange(len(x), device=x.device), index]


def expand(call: Call) -> Recognised:
    """Repeated without a copy."""
    shape = call.func(*call.args, **call.options).shape
    if len(shape) != call.args[0].dim():
        raise UnsupportedOperation(f"{call.name} across the batch")
    call.become(Tensor.expand, [call.args[0], -1, *shape[1:]], {})  # however many samples
    return linear(call)


def product(call: Call) -> Recognised:
    """Of what is recorded and of what is not: a gain, or a matrix."""
    if call.dtype is not None and call.name not in SCALES:
        _convert(call, call.dtype)
    weights = [thing for thing in call.strangers if thing.requires_grad]
    if call.options.get("rounding_mode") is not None:
        raise UnsupportedOperation(f"{call.name} that rounds")
    if call.times == 1 and call.name == "matmul":
        x, weight = call.args[0], call.args[1]
        if id(x) in call.recorded and weight.dim() == 2 and x.dim() > 1:
            with torch.enable_grad():
                weight = weight.mT
            return affine(call, x, weight, None, None)
    if not weights:
        return linear(call)
    if call.times > 1 or (call.name == "div" and id(call.args[0]) not in call.recorded):
        return linear(call)  # which refuses it
    (x,), by_sample = call.inputs, {id(thing) for thing in call.strangers if is_by_sample(call, thing)}
    replay = Replay(call, [x], weights, by_sample)
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (result,) = replay([leaf], [weight.detach() for weight in weights])
    _check_batch(call, [result])
    operation = Weighted([call.recorded[id(x)]], [call.new_slot()], replay, weights, leaf, result)
    return result.detach(), [operation]


def _convert(call: Call, dtype: torch.dtype) -> None:
    """Let all factors be of one type; the conversion of a weight belongs to its history."""

    def converted(thing: Any) -> Any:
        if not (isinstance(thing, Tensor) and thing.is_floating_point()):
            return thing
        with torch.enable_grad():
            new = thing.to(dtype)
        if id(thing) in call.recorded:
            call.recorded[id(new)] = call.recorded[id(thing)]
        return new

    call.become(call.func, tree_map(converted, call.args), call.options)


def is_by_sample(call: Call, thing: Tensor) -> bool:
    """Whether a constant has something else for each sample, (n, …)."""
    if thing.dim() == 0 or len(thing) != len(call.inputs[0]):
        return False
    if call.name == "einsum" and isinstance(call.args[0], str):
        terms = call.args[0].replace(" ", "").partition("->")[0].split(",")
        operands = dict(zip(map(id, tensors(call.args[1:])), terms, strict=True))
        mine, theirs = operands[id(thing)], operands[id(call.inputs[0])]
        if "." in mine + theirs:  # the dots are as many dimensions as are left
            left = thing.dim() - len(mine.replace(".", "")), call.inputs[0].dim() - len(theirs.replace(".", ""))
            return mine[:1] == theirs[:1] == "." and left[0] == left[1]
        return mine[:1] == theirs[:1]
    dims = max(recorded.dim() for recorded in call.inputs)
    multiplied = call.name in ("matmul", "bmm") and dims > 2
    return thing.dim() == dims and (multiplied or call.name in SUMS | SCALES | BY_SAMPLE | {"where"})


def add(call: Call) -> Recognised:
    """Sums, and choices by a mask; constants are summands."""
    first = 1 if call.name == "where" else 0
    if len(call.args) < first + 2:
        raise UnsupportedOperation(f"{call.name} as it is used here")
    like = call.inputs[0]
    for place in (first, first + 1):
        if not isinstance(call.args[place], Tensor):
            call.args[place] = like.new_full((), call.args[place])  # a copy from the host would wait
    masks = {id(mask) for mask in call.args[:first] if is_by_sample(call, mask)}
    operations, leaves = constants(call, call.args[first : first + 2])
    call.become(call.func, [leaves.get(id(thing), thing) for thing in call.args], call.options)
    return _by_autograd(call, call.inputs, operations, masks)


def join(call: Call) -> Recognised:
    """Of several tensors side by side; constants are among them."""
    joined = list(call.args[0])
    operations, leaves = constants(call, joined, whole=True)
    call.become(call.func, [[leaves.get(id(thing), thing) for thing in joined], *call.args[1:]], call.options)
    return _by_autograd(call, call.inputs, operations, set())


def constants(
    call: Call, things: Sequence[Tensor], *, whole: bool = False
) -> tuple[list[Operation], dict[int, Tensor]]:
    """Summands that do not depend on the points, as operations without an input, and what stands for them in the call.

    Args:
        call: in which they stand.
        things: summands.
        whole: whether they have as many dimensions as they need.
    """
    like = max(call.inputs, key=lambda recorded: recorded.dim())
    operations: list[Operation] = []
    leaves: dict[int, Tensor] = {}
    for thing in things:
        if id(thing) in call.recorded or id(thing) in leaves:
            continue
        with torch.enable_grad():
            value = thing if thing.dim() and thing.is_floating_point() else thing.to(like.dtype)
            value = value if whole else value[(None,) * (like.dim() - thing.dim())]
        if value.dim() != like.dim() or len(value) not in (1, len(like)):
            raise UnsupportedOperation(f"{call.name} across the batch")
        slot = call.new_slot()
        operations.append(Constant([], [slot], value, len(like)))
        leaf = value.detach().expand(len(like), *value.shape[1:])
        leaves[id(thing)] = leaf
        call.recorded[id(leaf)] = slot
    return operations, leaves


def _by_autograd(call: Call, inputs: list[Tensor], before: list[Operation], by_sample: set[int]) -> Recognised:
    replay = Replay(call, inputs, by_sample=by_sample)
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_() for tensor in inputs]
        results = replay(leaves)
    _check_batch(call, results)
    outputs = [call.new_slot() for _ in results]
    operation = Linear([call.recorded[id(tensor)] for tensor in inputs], outputs, replay, leaves, results)
    found = [result.detach() for result in results]
    several = call.name in ("chunk", "split", "split_with_sizes", "tensor_split", "unbind")
    return tuple(found) if several else found[0], [*before, operation]


def _check_batch(call: Call, results: list[Tensor]) -> None:
    if any(tensor.dim() == 0 or tensor.shape[0] != call.inputs[0].shape[0] for tensor in [*call.inputs, *results]):
        raise UnsupportedOperation(f"{call.name} across the batch")
