"""Operations with weights: each gives its weights' gradients in the last sweep.

In the notation of `lipbench.train.gradients.three_sweeps`, what comes into an operation in the last sweep is a·h + b·t;
where b = 0, it is a times what came in when the pass was recorded.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lipbench.train.gradients.call import Replay
from lipbench.train.gradients.operations import Operation
from lipbench.train.gradients.terms import per_sample

aten = torch.ops.aten
ParameterGradient = tuple[Tensor, Tensor]


class Learned(Operation):
    """An operation with weights.

    Attributes:
        given: what came in when the pass was recorded; None where nothing does.
        signal: ∂f/∂output, kept on the way back; None where the output leads nowhere.
    """

    given: Tensor | None
    signal: Tensor | None

    @property
    @abstractmethod
    def learns(self) -> bool:
        """Whether any of the weights wants a gradient."""

    @abstractmethod
    def gradients(self, parts: Sequence[tuple[Tensor, slice]], scale: Tensor) -> list[ParameterGradient]:
        """The gradients of the weights.

        Args:
            parts: inputs of the last sweep and the samples that they are of; together all that matter.
            scale: of a bias for every sample, (n,).
        """


@dataclass
class Affine(Learned):
    """A convolution, transposed or not, or a linear layer.

    Attributes:
        weight: the effective weight; its own history leads to whatever it is made from.
        bias: the same, or None.
        settings: of a convolution, from stride to groups, as ``aten.convolution`` takes them; None for a linear layer.
    """

    inputs: list[int]
    outputs: list[int]
    weight: Tensor
    bias: Tensor | None
    settings: tuple[Any, ...] | None
    given: Tensor
    signal: Tensor | None = None

    @property
    def learns(self) -> bool:
        """See `Learned.learns`."""
        return self.weight.requires_grad or (self.bias is not None and self.bias.requires_grad)

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
            out = aten.convolution(x, self.weight, None, *self.settings)
        if self.bias is not None:
            ones = [1] * (out.dim() - 2)
            if self.settings is None:
                out += scale.view(-1, *ones, 1) * self.bias
            else:
                out += (scale[:, None] * self.bias).view(-1, len(self.bias), *ones)
        return [out]

    def gradients(self, parts: Sequence[tuple[Tensor, slice]], scale: Tensor) -> list[ParameterGradient]:
        """See `Learned.gradients`."""
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
        wanted = (not of_weight, of_weight, False)
        by_input, by_weight, _ = aten.convolution_backward(signal, x, self.weight, None, *self.settings, wanted)
        found: Tensor = by_weight if of_weight else by_input
        return found


@dataclass
class Weighted(Learned):
    """Any other product of what comes in and of weights (a gain, ``einsum`` …), undone by autograd.

    Attributes:
        call: the product, as a function of what comes in and of the weights.
        weights: with their history.
        given: what came in, as the leaf of a small graph.
        result: the output in this graph.
    """

    inputs: list[int]
    outputs: list[int]
    call: Replay
    weights: list[Tensor]
    given: Tensor
    result: Tensor | None
    signal: Tensor | None = None
    _again: Tensor | None = field(default=None, init=False)

    @property
    def learns(self) -> bool:
        """See `Learned.learns`."""
        return True

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Keep the signal, and send it on by one step of plain autograd."""
        assert self.result is not None  # it goes back once
        self.signal = signal = signal.to(self.result.dtype)
        (found,) = torch.autograd.grad(self.result, self.given, signal)
        self.given, self.result = self.given.detach(), None
        return [found]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Multiply so many samples by the same weights."""
        if self._again is not None:  # the weights' gradients have needed it
            return [self._again]
        return self.call(given, self.weights, rows)

    def gradients(self, parts: Sequence[tuple[Tensor, slice]], scale: Tensor) -> list[ParameterGradient]:
        """See `Learned.gradients`."""
        assert self.signal is not None  # `back` comes before
        totals: list[Tensor] = []
        for x, rows in parts:
            leaves = [weight.detach().requires_grad_() for weight in self.weights]
            with torch.enable_grad():
                (out,) = self.call([x], leaves, rows)
            if not totals:
                self._again = out.detach()
            part = torch.autograd.grad(out, leaves, self.signal[rows].to(out.dtype))
            totals = [total.add_(more) for total, more in zip(totals, part, strict=True)] if totals else list(part)
        return list(zip(self.weights, totals, strict=True))


@dataclass
class Constant(Learned):
    """What is added and does not depend on the points, learned or not: a bias by another name.

    Attributes:
        value: one for all rows, (1, …), or one a row, (n, …), with its history.
        count: rows in the batch.
    """

    inputs: list[int]
    outputs: list[int]
    value: Tensor
    count: int
    given: None = None
    signal: Tensor | None = None

    @property
    def learns(self) -> bool:
        """See `Learned.learns`."""
        return self.value.requires_grad

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Keep the signal, which goes nowhere."""
        self.signal = signal
        return []

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Give the value times each sample's scale."""
        value = self.value[rows] if len(self.value) == self.count else self.value
        return [value * per_sample(scale.to(value.dtype), value)]

    def gradients(self, parts: Sequence[tuple[Tensor, slice]], scale: Tensor) -> list[ParameterGradient]:
        """See `Learned.gradients`."""
        assert self.signal is not None  # `back` comes before
        scaled = self.signal * per_sample(scale.to(self.signal.dtype), self.signal)
        return [(self.value, scaled.sum_to_size(self.value.shape))]
