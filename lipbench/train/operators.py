"""The linear operators that a critic's layers are, and their norms where they are applied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd

from lipbench.errors import RequestError
from lipbench.nets import MaxMin
from lipbench.train.copies import copied

FIRST = 15  # power iterations before the first step, as many as torch's spectral norm makes
STILL, ROUND, ROUNDS = 1e-6, 30, 40  # a norm that rises by less in a round of iterations is settled
TINY = 1e-12
FORWARD: dict[int, Callable[..., Tensor]] = {0: F.linear, 1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARD: dict[int, Callable[..., Tensor]] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


Layer = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
# What neither stretches nor has weights.
HARMLESS = nn.Flatten | nn.Unflatten | nn.Identity | MaxMin | nn.ReLU | nn.Tanh | nn.Sigmoid | nn.Softplus


def operators(critic: nn.Module, method: str) -> dict[str, Layer]:
    """The linear layers and convolutions of a critic in which nothing else can stretch, by their paths.

    Raises:
        RequestError: something else is there for which the method cannot vouch.
    """
    found = {}
    for path, layer in critic.named_modules():
        if isinstance(layer, Layer) and getattr(layer, "padding_mode", "zeros") == "zeros":
            found[path] = layer
        elif isinstance(layer, HARMLESS) or (isinstance(layer, nn.LeakyReLU) and abs(layer.negative_slope) <= 1):
            continue
        elif layer._parameters or not layer._modules:
            raise RequestError(
                f"{method} got a critic with {type(layer).__name__}, for which it cannot vouch; expected linear "
                f"layers, convolutions with zero padding, and rectifiers alone, and no other method that changes their "
                f"weights: --set architecture=cnn-32, cnn-8 or mlp, or --protocol w1"
            )
    return found


def sort_units(critic: nn.Module) -> None:
    """Put a MaxMin in the place of every rectifier."""
    for name, layer in list(critic.named_modules()):
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            critic.set_submodule(name, MaxMin())


def tori(critic: nn.Module, method: str) -> "dict[Layer, Torus]":
    """Each of the `operators` of a critic on its `Torus`, by one pass over a picture of zeros.

    Args:
        critic: with its `input_shape`, (c, h, w), if it has convolutions; it is left as it is.
        method: whose name errors give.

    Raises:
        RequestError: as of `operators`, or a convolution is applied to inputs of several sizes, or of none.
    """
    layers = operators(critic, method)
    sizes: dict[str, set[tuple[int, ...]]] = {path: set() for path in layers}
    if any(isinstance(layer, _ConvNd) for layer in layers.values()):
        copy = copied(critic).eval()
        for path, seen in sizes.items():
            copy.get_submodule(path).register_forward_pre_hook(_noting(seen))
        shape: tuple[int, ...] = critic.input_shape  # type: ignore[assignment]  # as `Method.constrain` gets it
        with torch.no_grad():
            copy(torch.zeros(1, *shape).to(next(copy.parameters())))
    for path, seen in sizes.items():
        if isinstance(layers[path], _ConvNd) and len(seen) != 1:
            raise RequestError(
                f"{method} got a critic whose convolution {path!r} is applied to inputs of "
                f"{' and '.join('×'.join(map(str, size)) for size in sorted(seen)) or 'no size at all'}; expected one "
                f"size, as its norm depends on it"
            )
    return {layer: Torus.around(layer, next(iter(sizes[path]), ())) for path, layer in layers.items()}


def _noting(seen: set[tuple[int, ...]]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    return lambda _, given: seen.add(tuple(given[0].shape[2:]))


@dataclass(frozen=True)
class Torus:
    """A convolution that wraps around at the ends of its input; without dimensions, a matrix.

    One with zero padding is a part of the one on a torus so large that nothing but zeros meets across its seam: the
    torus has the larger norm, by a few per cent, and a Fourier transform proves it.

    Attributes:
        sides: of the torus, a multiple of the stride in each dimension.
        reach: over how many inputs the taps of all outputs go, in each dimension.
        options: stride, dilation and groups.
    """

    sides: tuple[int, ...] = ()
    reach: tuple[int, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def around(cls, layer: nn.Module, size: tuple[int, ...]) -> "Torus":
        """The torus of a linear layer or a convolution that is applied to inputs of this size, without channels."""
        if not isinstance(layer, _ConvNd):
            return cls()
        sides, reach = [], []
        for axis, side in enumerate(size):
            stride, span = layer.stride[axis], layer.dilation[axis] * (layer.kernel_size[axis] - 1) + 1
            place = 2 * (len(size) - 1 - axis)
            before, after = layer._reversed_padding_repeated_twice[place : place + 2]
            last = (side + before + after - span) // stride * stride - before  # where the last output's taps begin
            needed = side + max(before, last + span - side, 0)
            sides.append(-(-needed // stride) * stride)
            reach.append(sides[-1] - stride + span)
        options = (("stride", layer.stride), ("dilation", layer.dilation), ("groups", layer.groups))
        return cls(tuple(sides), tuple(reach), options)

    def start(self, weight: Tensor) -> Tensor:
        """An input of norm 1 at random, (1, channels, …)."""
        channels = weight.shape[1] * dict(self.options).get("groups", 1)
        return _unit(torch.randn(1, channels, *self.sides, dtype=weight.dtype, device=weight.device))

    def apply(self, weight: Tensor, x: Tensor) -> Tensor:
        """The operator, (1, channels, …) → (1, outputs, …)."""
        for axis, (side, length) in enumerate(zip(self.sides, self.reach, strict=True), 2):
            x = torch.cat([x] * -(-length // side), axis).narrow(axis, 0, length)
        return FORWARD[len(self.sides)](x, weight, **dict(self.options))

    def adjoint(self, weight: Tensor, y: Tensor) -> Tensor:
        """Its transpose, (1, outputs, …) → (1, channels, …)."""
        if not self.sides:
            return y @ weight
        x = BACKWARD[len(self.sides)](y, weight, **dict(self.options))
        for axis, side in enumerate(self.sides, 2):
            pad = (0, 0) * (x.ndim - 1 - axis) + (0, -x.shape[axis] % side)
            x = F.pad(x, pad).unflatten(axis, (-1, side)).sum(axis)
        return x


class OperatorNorm(nn.Module):
    """Divides a weight by its norm on a torus, by power iteration: a parametrisation.

    Args:
        operator: what the weight is applied as.
        weight: the weight that it starts with.
        iterations: at each access in training mode.
    """

    _v: Tensor

    def __init__(self, operator: Torus, weight: Tensor, iterations: int = 1) -> None:
        super().__init__()
        self.operator, self.iterations = operator, iterations
        with torch.no_grad():
            self.register_buffer("_v", operator.start(weight))
            self._iterate(weight, FIRST)

    def forward(self, weight: Tensor) -> Tensor:
        """Divide the weight; where it is zero, by zero."""
        with torch.autocast(weight.device.type, enabled=False):
            return weight / self._iterate(weight, self.iterations if self.training else 0)

    def _iterate(self, weight: Tensor, count: int) -> Tensor:
        """The norm; with its singular vector v held, ‖Av‖ has the gradient of σ."""
        image = self.operator.apply(weight, self._v.clone())  # the buffer moves before the backward pass
        for turn in range(count):
            if turn:
                image = self.operator.apply(weight, self._v.clone())
            self._v.copy_(_unit(self.operator.adjoint(weight.detach(), image.detach())))
        norm: Tensor = vector_norm(image)
        return norm

    @torch.no_grad()
    def settle(self, weight: Tensor) -> None:
        """Iterate until the norm stands still, from beside where it is: v may lack what has grown to be the largest."""
        noise = torch.randn(self._v.shape, generator=torch.Generator().manual_seed(0), dtype=self._v.dtype)
        self._v.copy_(_unit(self._v + _unit(noise.to(self._v)) / 2))  # never zero, even of one number
        before = self._iterate(weight, ROUND)
        for _ in range(ROUNDS):
            norm = self._iterate(weight, ROUND)
            if not norm > before * (1 + STILL):
                break
            before = norm


def _unit(x: Tensor) -> Tensor:
    unit: Tensor = x / vector_norm(x).clamp_min(TINY)
    return unit
