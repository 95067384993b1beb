"""What the three sweeps know of each operation of a piecewise linear network.

An operation is recorded at a point and then answers for its linear piece alone: how a signal goes back through it, and
how another input goes forward through it with its masks frozen and its biases scaled. A batch is always the first
dimension, each sample is treated by itself, and the rows of one sample follow each other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lipbench.train.gradients.call import Replay

aten = torch.ops.aten


class Operation:
    """One step of the recorded pass.

    Attributes:
        inputs: the slots that it reads.
        outputs: the slots that it writes.
        fold: rows a sample: more than one where channels or patches have been moved into the batch.
    """

    inputs: list[int]
    outputs: list[int]
    fold = 1

    def back(self, signals: list[Tensor | None]) -> list[Tensor]:
        """From ∂f/∂outputs to ∂f/∂inputs; None for an output that leads nowhere, but never for all."""
        (signal,) = signals
        assert signal is not None  # it is the only one
        return self.back_one(signal)

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """The same for an operation with one output."""
        raise NotImplementedError

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Forward for some of the rows, masks frozen and biases times `scale`, (len(rows),)."""
        raise NotImplementedError


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
    """Picking along a dimension (sorting, maxima, max pooling), with the places frozen.

    Attributes:
        dim: along which numbers are picked, once `flat` dimensions at the end are one.
        index: the places.
        flat: how many dimensions at the end are taken as one: those of a pooled picture.
        before: the shape of what came in.
        squeezed: whether the dimension, of one place, is left out of the output.
    """

    inputs: list[int]
    outputs: list[int]
    dim: int
    index: Tensor
    flat: int
    before: torch.Size
    squeezed: bool

    def back_one(self, signal: Tensor) -> list[Tensor]:
        """Send each signal where its value came from."""
        signal = self._flattened(signal.unsqueeze(self.dim) if self.squeezed else signal)
        gathered = signal.new_zeros(self._flattened_shape(self.before))
        return [gathered.scatter_add_(self.dim, self._flattened(self.index), signal).view(self.before)]

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Pick as before."""
        index = self.index[rows]
        picked = self._flattened(given[0]).gather(self.dim, self._flattened(index)).view(index.shape)
        return [picked.squeeze(self.dim) if self.squeezed else picked]

    def _flattened(self, x: Tensor) -> Tensor:
        return x.reshape(self._flattened_shape(x.shape)) if self.flat else x

    def _flattened_shape(self, shape: torch.Size) -> list[int]:
        kept = len(shape) - self.flat
        return [*shape[:kept], shape[kept:].numel()] if self.flat else list(shape)


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
        return [given[0].reshape(len(given[0]) * self.after[0] // self.before[0], *self.after[1:])]


@dataclass
class Linear(Operation):
    """Any linear operation without weights (pooling, sums, joining, upsampling …), undone by autograd.

    Attributes:
        call: the operation as a function of its inputs alone.
        given: these inputs, as leaves of a small graph.
        results: the outputs in this graph.
    """

    inputs: list[int]
    outputs: list[int]
    call: Replay
    given: list[Tensor]
    results: list[Tensor]

    def back(self, signals: list[Tensor | None]) -> list[Tensor]:
        """One step of plain autograd."""
        known = [
            (result, signal.to(result.dtype))
            for result, signal in zip(self.results, signals, strict=True)
            if signal is not None
        ]
        results, wanted = zip(*known, strict=True)
        found = torch.autograd.grad(results, self.given, wanted, materialize_grads=True)
        self.given, self.results = [], []
        return list(found)

    def again(self, given: list[Tensor], rows: slice, scale: Tensor) -> list[Tensor]:
        """Do the same."""
        return self.call(given, rows=rows)
