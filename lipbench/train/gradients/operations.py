"""What the three sweeps know of each operation of a piecewise linear network.

An operation is recorded at a point and then answers for its linear piece alone: how a signal goes back through it, and
how another input goes forward through it with its masks frozen and its biases scaled. A batch is always the first
dimension, and each sample is treated by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

aten = torch.ops.aten
ParameterGradient = tuple[Tensor, Tensor]


class Operation:
    """One step of the recorded pass.

    Attributes:
        inputs: the slots that it reads.
        outputs: the slots that it writes.
    """

    inputs: list[int]
    outputs: list[int]

    def back(self, signals: list[Tensor | None]) -> list[Tensor]:
        """From ∂f/∂outputs to ∂f/∂inputs; None for an output that leads nowhere, but never for all."""
        (signal,) = signals
        assert signal is not None  # it is the only one
        return self.back_one(signal)

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """The same for an operation with one output."""
        raise NotImplementedError

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Forward for some of the samples, masks frozen and biases times `scale`, (len(rows),)."""
        raise NotImplementedError


@dataclass
class Affine(Operation):
    """A convolution or a linear layer.

    Attributes:
        weight: the effective weight; its own history leads to whatever it is made from.
        bias: the same, or None.
        settings: stride, padding, dilation and groups of a convolution; None for a linear layer.
        given: what came in.
        signal: ∂f/∂output, kept on the way back.
    """

    inputs: list[int]
    outputs: list[int]
    weight: Tensor
    bias: Tensor | None
    settings: tuple[Any, ...] | None
    given: Tensor
    signal: Tensor | None = None

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Keep the signal for the weight's gradient, and send it on."""
        self.signal = signal = signal.to(self.weight.dtype)
        if self.settings is None:
            return [signal @ self.weight]
        return [self._convolution_backward(signal, self.given, of_weight=False)]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Apply the weight, and the bias times each sample's scale."""
        x, scale = given[0].to(self.weight.dtype), scale.to(self.weight.dtype)
        if self.settings is None:
            out = F.linear(x, self.weight)
        else:
            stride, padding, dilation, groups = self.settings
            out = aten.convolution(x, self.weight, None, stride, padding, dilation, False, [0] * len(stride), groups)
        if self.bias is not None:
            ones = [1] * (out.dim() - 2)
            if self.settings is None:
                out += scale.view(-1, *ones, 1) * self.bias
            else:
                out += (scale[:, None] * self.bias).view(-1, len(self.bias), *ones)
        return [out]

    def gradients(self, parts: Sequence[tuple[Tensor, slice]], scale: Tensor) -> list[ParameterGradient]:
        """The gradients of weight and bias.

        Args:
            parts: inputs of the last sweep and the samples that they are of; together all that matter.
            scale: of the bias for every sample, (n,).
        """
        assert self.signal is not None  # `back` comes before
        scale = scale.to(self.signal.dtype)
        found = []
        if self.weight.requires_grad:
            total = None
            for x, rows in parts:
                part = self._weight_gradient(x, self.signal[rows])
                total = part if total is None else total.add_(part)
            assert total is not None  # there is at least one part
            found.append((self.weight, total))
        if self.bias is not None and self.bias.requires_grad:
            channel = 1 if self.settings is not None else self.signal.dim() - 1
            others = [dim for dim in range(1, self.signal.dim()) if dim != channel]
            sums = self.signal.sum(others) if others else self.signal
            found.append((self.bias, scale @ sums))
        return found

    def _weight_gradient(self, x: Tensor, signal: Tensor) -> Tensor:
        x = x.to(signal.dtype)
        if self.settings is None:
            return signal.flatten(0, -2).T @ x.flatten(0, -2)
        return self._convolution_backward(signal, x, of_weight=True)

    def _convolution_backward(self, signal: Tensor, x: Tensor, *, of_weight: bool) -> Tensor:
        assert self.settings is not None
        stride, padding, dilation, groups = self.settings
        wanted, unused = (not of_weight, of_weight, False), [0] * len(stride)
        by_input, by_weight, _ = aten.convolution_backward(
            signal, x, self.weight, None, stride, padding, dilation, False, unused, groups, wanted
        )
        found: Tensor = by_weight if of_weight else by_input
        return found


@dataclass
class Leaky(Operation):
    """ReLU (slope 0) and LeakyReLU; the output's sign is the mask."""

    inputs: list[int]
    outputs: list[int]
    slope: float
    result: Tensor

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Multiply by the mask."""
        return [self._masked(signal, self.result)]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Multiply by the mask."""
        return [self._masked(given[0], self.result[rows])]

    def _masked(self, x: Tensor, result: Tensor) -> Tensor:
        found: Tensor = (
            aten.threshold_backward(x, result, 0)
            if self.slope == 0
            else aten.leaky_relu_backward(x, result, self.slope, True)
        )
        return found


@dataclass
class Choice(Operation):
    """The larger or the smaller of two, element by element: a weighted sum with frozen weights, ½ each in a tie."""

    inputs: list[int]
    outputs: list[int]
    weight: Tensor  # of the first

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Send each signal where its value came from."""
        first = signal * self.weight
        return [first, signal - first]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Choose as before."""
        first, second = given
        weight = self.weight[rows]
        return [weight * first + (1 - weight) * second]  # may be of two precisions


@dataclass
class Order(Operation):
    """Sorting along a dimension, with the order frozen."""

    inputs: list[int]
    outputs: list[int]
    dim: int
    index: Tensor

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Send each signal where its value came from."""
        return [torch.zeros_like(signal).scatter_(self.dim, self.index, signal)]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Order as before."""
        return [given[0].gather(self.dim, self.index[rows])]


@dataclass
class Reshape(Operation):
    """Anything that keeps all numbers of a sample and their order."""

    inputs: list[int]
    outputs: list[int]
    before: torch.Size
    after: torch.Size

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Give the former shape back."""
        return [signal.reshape(self.before)]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Reshape so many samples."""
        return [given[0].reshape(len(given[0]), *self.after[1:])]


@dataclass
class Linear(Operation):
    """Any linear operation without weights (pooling, sums, joining, nearest upsampling …), undone by autograd.

    Attributes:
        call: the operation as a function of its recorded inputs alone.
        given: these inputs, as leaves of a small graph.
        results: the outputs in this graph.
    """

    inputs: list[int]
    outputs: list[int]
    call: Callable[[list[Tensor]], list[Tensor]]
    given: list[Tensor]
    results: list[Tensor]

    def back(self, signals: list[Tensor | None]) -> list[Tensor]:
        """One step of plain autograd."""
        known = [(result, signal) for result, signal in zip(self.results, signals, strict=True) if signal is not None]
        results, wanted = zip(*known, strict=True)
        found = torch.autograd.grad(results, self.given, wanted, materialize_grads=True)
        self.given, self.results = [], []
        return list(found)

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Do the same."""
        return self.call(given)
