"""Functions that are made of others: each is written down here as autograd differentiates it, kinks included.

Some are only in some cases, see `applies`.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.train.gradients.call import Call, UnsupportedOperation


def _piecewise(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of each number alone: its slope, as autograd has it, times the number, and a constant.

    At a kink autograd takes a side, which is not the same in all functions and versions.
    """

    def rewritten(input: Tensor, *args: Any, **options: Any) -> Tensor:
        if any(isinstance(thing, Tensor) for thing in (*args, *options.values())):
            raise UnsupportedOperation(f"{function.__name__} between tensors")
        leaf = input.detach().requires_grad_()
        out = function(leaf, *args, **options)
        (slope,) = torch.autograd.grad(out.sum(), leaf)
        rest = torch.where(slope == 0, out.detach(), out.detach() - slope * leaf.detach())
        return torch.where(slope == 0, 0.0, input) * slope + rest

    return rewritten


def _prelu(input: Tensor, weight: Tensor) -> Tensor:
    """At 0 the slope is the weight, and yet, for autograd, does not change with it.

    Its backward pass, differentiated, takes the slope for 1 there: that contradicts the first, and is not followed.
    """
    shape = [-1 if dim == 1 else 1 for dim in range(max(2, input.dim()))]
    wide = weight.view(shape)
    return torch.where(input > 0, input, input * torch.where(input < 0, wide, wide.detach()))


def _rrelu(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    if training:
        raise UnsupportedOperation("rrelu, which draws random slopes in training")
    return F.leaky_relu(input, (lower + upper) / 2)


def _of_two(name: str) -> Callable[..., Any]:
    """The larger or smaller of two tensors of different shapes."""

    def maximum(input: Tensor, other: Tensor) -> Any:
        shape = torch.broadcast_shapes(input.shape, other.shape)
        return getattr(torch, name)(input.expand(shape), other.expand(shape))

    return maximum


def _extreme(name: str) -> Callable[..., Tensor]:
    """Ties share the gradient."""

    def amax(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
        ties = input == getattr(input.detach(), name)(dim, keepdim=True)
        shares = ties / ties.sum(dim, keepdim=True)
        found: Tensor = (torch.where(ties, input, 0.0) * shares.to(input.dtype)).sum(dim, keepdim=keepdim)
        return found

    return amax


def _dropout(input: Tensor, p: float | int = 0.5, training: bool = True) -> Tensor:
    if training and p > 0:
        raise UnsupportedOperation("dropout, which draws random numbers in training")
    return input


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if training or running_mean is None or running_var is None:
        raise UnsupportedOperation("batch_norm in training, which mixes the samples of a batch")
    shape = [1, -1, *[1] * (input.dim() - 2)]
    scale = (running_var + eps).rsqrt() * (1.0 if weight is None else weight)
    shift = (0.0 if bias is None else bias) - running_mean * scale
    return input * scale.view(shape) + shift.view(shape)


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    dims = weight.dim() - 2
    convolution = getattr(F, f"conv{dims}d")
    if padding == "same":
        spread = [dilation] * dims if isinstance(dilation, int) else list(dilation) * (dims // len(dilation))
        totals = [each * (size - 1) for each, size in zip(spread, weight.shape[2:], strict=True)]
        input = F.pad(input, [side for total in reversed(totals) for side in (total // 2, total - total // 2)])
    return convolution(input, weight, bias, stride, 0, dilation, groups)


def _pad(input: Tensor, pad: Any, mode: str = "constant", value: float | int = 0) -> Any:
    return F.pad(input - value, pad) + value


def _addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float | int = 1, alpha: float | int = 1) -> Tensor:
    return alpha * torch.matmul(mat1, mat2) + beta * input


def _bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    out = torch.einsum("b...i,oij,b...j->b...o", input1, weight, input2)
    return out if bias is None else out + bias


def _rsub(input: Tensor, other: Tensor | float | int, *, alpha: float | int = 1) -> Tensor:
    return -alpha * input + other


def _rmatmul(input: Tensor, other: Tensor) -> Tensor:
    return torch.matmul(other, input)


def _lerp(input: Tensor, end: Tensor, weight: float | int) -> Tensor:
    return input + weight * (end - input)


REWRITES: dict[str, Callable[..., Any]] = {
    "abs": _piecewise(torch.abs),
    "addmm": _addmm,
    "amax": _extreme("amax"),
    "amin": _extreme("amin"),
    "baddbmm": _addmm,
    "batch_norm": _batch_norm,
    "bilinear": _bilinear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _convolution),
    "clamp": _piecewise(torch.clamp),
    "clamp_max": _piecewise(torch.clamp_max),
    "clamp_min": _piecewise(torch.clamp_min),
    **dict.fromkeys(
        ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"), _dropout
    ),
    "hardshrink": _piecewise(F.hardshrink),
    "hardtanh": _piecewise(F.hardtanh),
    "lerp": _lerp,
    **{name: _of_two(name) for name in ("max", "min", "maximum", "minimum")},
    "pad": _pad,
    "prelu": _prelu,
    "relu6": _piecewise(F.relu6),
    "rmatmul": _rmatmul,
    "rrelu": _rrelu,
    "rsub": _rsub,
    "softshrink": _piecewise(F.softshrink),
    "threshold": _piecewise(F.threshold),
}


def applies(call: Call) -> bool:
    """Whether a call of one of these functions is made of others, and not an operation itself."""
    if call.name in ("conv1d", "conv2d", "conv3d"):
        return isinstance(call.args[4] if len(call.args) > 4 else call.options.get("padding"), str)
    if call.name == "pad":
        mode, value = call.arguments(("input", "pad", "mode", "value"), ("constant", None))[2:]
        return mode == "constant" and bool(value)
    if call.name in ("max", "min", "maximum", "minimum"):
        return any(thing.shape != call.args[0].shape for thing in call.given)
    return True
