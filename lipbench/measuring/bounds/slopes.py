"""How steep functions of activations are: what a proof needs to know of each, wherever the activations lie."""

from collections.abc import Callable
from functools import partial
from math import gcd, prod, sqrt
from typing import Any

from torch import Tensor

from lipbench.train.gradients.call import Call, UnsupportedOperation

Steepness = Callable[[Call], float]


def _leaky(name: str, default: float) -> Steepness:
    """1, or the slope below 0 where that is steeper."""

    def slope(call: Call) -> float:
        below = float(call.arguments(("input", name), (default,))[1])
        if below < 0:
            raise UnsupportedOperation(f"{call.name} with {name} {below:g}, below 0")
        return max(1.0, below)

    return slope


def _prelu(call: Call) -> float:
    weight = call.arguments(("input", "weight"), ())[1]
    return max(1.0, float(weight.detach().abs().max()))


def _rrelu(call: Call) -> float:
    _, lower, upper, training = call.arguments(("input", "lower", "upper", "training"), (1 / 8, 1 / 3, False))
    if training:
        raise UnsupportedOperation("rrelu, which draws random slopes in training")
    return max(1.0, abs(float(lower + upper)) / 2)


def _softplus(call: Call) -> float:
    """Its slope is a sigmoid; beyond a threshold it is cut off, which is rounding where that is 20, as it mostly is."""
    threshold = call.arguments(("input", "beta", "threshold"), (1.0, 20.0))[2]
    if threshold < 20:
        raise UnsupportedOperation(f"softplus with a threshold of {threshold:g}, where it jumps")
    return 1.0


def _threshold(call: Call) -> float:
    _, threshold, value = call.arguments(("input", "threshold", "value"), ())
    if threshold != value:
        raise UnsupportedOperation(f"threshold, which jumps from {value} to {threshold}")
    return 1.0


def _norm(call: Call) -> float:
    p, dim = call.arguments(("input", "p" if call.name == "norm" else "ord", "dim"), (2, None))[1:]
    if p not in (2, 2.0, "fro", None) or dim is None or _has_batch(call, dim):
        raise UnsupportedOperation(f"{call.name} as it is used here")
    return 1.0


def _groups(call: Call) -> float:
    """Of functions along a dimension that are 1-Lipschitz on each group."""
    (dim,) = call.arguments(("input", "dim"), (None,))[1:]
    if dim is None or _has_batch(call, dim):
        raise UnsupportedOperation(f"{call.name} across the batch")
    return 1.0


def _softmax(call: Call) -> float:
    """½: a row of its Jacobian, diag(p) − ppᵀ, sums to at most 2p(1 − p) in absolute values."""
    return _groups(call) / 2


def _power_pool(dims: int, call: Call) -> float:
    """Of norms of windows, of an even order, none of which is steeper than the Euclidean one.

    Of an odd order, powers of both signs cancel before the root, which is steep without bound where they do. A window
    that reaches over the end counts as a whole one, and is larger than its norm.
    """
    names = ("input", "norm_type", "kernel_size", "stride", "ceil_mode")
    _, order, kernel, stride, beyond = call.arguments(names, (None, False))
    if order < 2 or order % 2 or beyond:
        raise UnsupportedOperation(f"{call.name} of order {order:g}{' with ceil_mode' if beyond else ''}")
    kernels = _spread(kernel, dims)
    steps = zip(kernels, _spread(stride or kernel, dims), strict=True)
    return sqrt(prod(-(-size // step) for size, step in steps))


def _has_batch(call: Call, dim: Any) -> bool:
    dims = [dim] if isinstance(dim, int) else list(dim)
    return any(each % call.args[0].dim() == 0 for each in dims)


def _steady(slope: float) -> Steepness:
    def known(call: Call) -> float:
        if any(isinstance(thing, Tensor) for thing in [*call.args[1:], *call.options.values()]):
            raise UnsupportedOperation(f"{call.name} between tensors")
        return slope

    return known


# The largest slope of each function of a number anywhere; decimals are rounded up.
SMOOTH = {
    "tanh": 1.0, "sigmoid": 0.25, "selu": 1.7581, "gelu": 1.13, "silu": 1.09985,
    "mish": 1.08851, "logsigmoid": 1.0, "log_sigmoid": 1.0, "softsign": 1.0, "tanhshrink": 1.0, "hardsigmoid": 1 / 6,
    "hardswish": 1.5, "sin": 1.0, "cos": 1.0, "arctan": 1.0, "atan": 1.0, "asinh": 1.0, "arcsinh": 1.0, "erf": 1.12838,
}  # fmt: skip
ONE = ("abs", "clamp", "clamp_max", "clamp_min", "hardtanh", "relu6", "softshrink")
SLOPES: dict[str, Steepness] = {
    "relu": lambda call: 1.0,
    "leaky_relu": _leaky("negative_slope", 0.01),
    "prelu": _prelu,
    "rrelu": _rrelu,
    **dict.fromkeys(("elu", "celu"), _leaky("alpha", 1.0)),
    "threshold": _threshold,
    "softplus": _softplus,
    **{name: _steady(slope) for name, slope in SMOOTH.items()},
    **{name: _steady(1.0) for name in ONE},
    **dict.fromkeys(("amax", "amin", "logsumexp"), _groups),
    **dict.fromkeys(("softmax", "softmin"), _softmax),
    **{f"lp_pool{dims}d": partial(_power_pool, dims) for dims in (1, 2, 3)},
    **dict.fromkeys(("norm", "linalg_vector_norm"), _norm),
}
# Monotone, between 0 and 1 steep: what `chains` needs.
BETWEEN = {
    "relu", "leaky_relu", "threshold", "clamp", "clamp_max", "clamp_min", "hardtanh",
    "relu6", "softshrink", "tanhshrink", "tanh", "sigmoid", "softplus", "softsign", "hardsigmoid", "logsigmoid",
    "log_sigmoid", "arctan", "atan", "asinh", "arcsinh",
}  # fmt: skip


def of_pick(call: Call, flat: int) -> float:
    """How steep picking by size is: sorting moves numbers, and a maximum no more than they.

    Args:
        call: of one of `recognise.PICKS` and `recognise.POOLS`, or ``max`` and ``min`` along a dimension.
        flat: dimensions of a pooled picture.
    """
    if call.name in ("cummax", "cummin"):
        dim = call.arguments(("input", "dim"), ())[1]
        return sqrt(call.args[0].shape[dim])  # a number can be the largest of all that follow
    if not flat:
        return 1.0
    return sqrt(_overlap(call, flat))


def _overlap(call: Call, dims: int) -> int:
    """In how many windows a number stands at most."""
    sides = call.args[0].shape[-dims:]
    if call.name.startswith("adaptive"):
        wanted = _spread(call.arguments(("input", "output_size"), ())[1], dims)
        return prod(
            -(-(out or side) // side) + (side % (out or side) > 0) for side, out in zip(sides, wanted, strict=True)
        )
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    _, kernel, stride, _, dilation = call.arguments(names, (None, 0, 1))
    kernels, dilations = _spread(kernel, dims), _spread(dilation, dims)
    strides = _spread(stride or kernel, dims)
    # Of a kernel's places, those at which the stride leads to the same number.
    shared = [gcd(step, apart) for step, apart in zip(strides, dilations, strict=True)]
    return prod(-(-size * same // step) for size, same, step in zip(kernels, shared, strides, strict=True))


def _spread(item: Any, dims: int) -> list[Any]:
    """One for each dimension."""
    items = list(item) if isinstance(item, tuple | list) else [item]
    return items * dims if len(items) == 1 else items
