"""Dropout inside a critic that has none, for one pass, whatever its layers are; the critic itself is not touched."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lipbench.errors import RequestError
from lipbench.train.gradients.terms import values
from lipbench.train.precision import full

# By the names of torch's functions, to which its modules and the methods of its tensors lead.
ACTIVATIONS = {
    *("relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "selu", "celu"),
    *("gelu", "silu", "mish", "softplus", "tanh", "sigmoid", "hardtanh", "hardswish"),
}
LAYERS = {"linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "bilinear"}


def dropped(
    critic: nn.Module, points: Float[Tensor, "n c h w"], rate: float, rng: torch.Generator
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n k"]]:
    """One pass in which each unit behind an activation is zero with probability `rate`, the others scaled up for it.

    Args:
        critic: (n, c, h, w) → (n,) or (n, 1).
        points: where it is evaluated.
        rate: between 0 and 1.
        rng: draws which; on the device of the points.

    Returns:
        The values, and what the last linear layer or convolution got.

    Raises:
        RequestError: the critic has no activation, or no such layer, known by a function of torch.
    """
    with _Dropping(rate, rng) as seen:
        value = values(critic, points)
    if seen.features is None or not seen.activations:
        raise RequestError(
            f"dropout got a critic with {seen.activations} activations of torch and "
            f"{'no' if seen.features is None else 'a'} linear layer or convolution; expected at least one of each, "
            f"such as nn.LeakyReLU and nn.Linear"
        )
    return value, full(seen.features.flatten(1))


class _Dropping(TorchFunctionMode):
    """Inside the block, what activations give is dropped in part."""

    def __init__(self, rate: float, rng: torch.Generator) -> None:
        super().__init__()
        self.rate, self.rng = rate, rng
        self.activations = 0
        self.features: Tensor | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name, options = getattr(func, "__name__", ""), kwargs or {}
        if name in LAYERS:
            self.features = args[0] if args else options["input"]
        out = func(*args, **options)
        if name not in ACTIVATIONS:
            return out
        self.activations += 1
        kept = torch.rand(out.shape, generator=self.rng, device=out.device) >= self.rate
        return out * kept / (1 - self.rate)
