"""The norm of any linear operation: by its sums of absolute values, and written down where it is small."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lipbench.measuring.bounds.norms import ENTRIES, SMALL, Norm, of_matrix, of_sums
from lipbench.train.gradients.call import Replay

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Sums:
    """Sums of absolute values of an operation's matrix, whose numbers have one sign for each input.

    Attributes:
        rows: of each output's rows, input by input.
        columns: the same of the inputs' columns.
    """

    rows: list[list[Tensor]]
    columns: list[list[Tensor]]

    @classmethod
    def of(cls, operation: Replay, like: Sequence[Tensor]) -> "Sums":
        """Of an operation on inputs like these."""
        leaves = [torch.ones_like(leaf).requires_grad_() for leaf in like]
        with torch.enable_grad():
            results = operation(leaves)
        columns = [
            [
                found.abs()
                for found in torch.autograd.grad(each.sum(), leaves, retain_graph=True, materialize_grads=True)
            ]
            for each in results
        ]
        alone = []
        for place in range(len(leaves)):
            with torch.no_grad():
                alone.append(operation([leaf * (index == place) for index, leaf in enumerate(leaves)]))
        rows = [[each[row].abs() for each in alone] for row in range(len(results))]
        return cls(rows, columns)

    def of_branch(self, output: int, source: int) -> float:
        """The norm of what leads from one input to one output."""
        rows, columns = self.rows[output][source], self.columns[output][source]
        return of_sums(rows, columns, rows.numel()).value

    def of_all(self, output: int) -> float:
        """The norm of what leads from all inputs, taken as one, to one output."""
        rows = torch.stack(self.rows[output]).sum(0)
        return of_sums(rows, torch.cat([each.flatten() for each in self.columns[output]]), rows.numel()).value


def stacked(parts: Sequence[tuple[Sums, int]]) -> float:
    """The norm of several operations of one input, each by one of its outputs, taken as one."""
    rows = torch.cat([sums.rows[output][0].flatten() for sums, output in parts])
    columns = torch.stack([sums.columns[output][0] for sums, output in parts]).sum(0)
    return of_sums(rows, columns, columns.numel()).value


def both_ways(operation: Replay, like: Tensor) -> tuple[Map, Map]:
    """An operation of one input as a map, and its transpose."""

    def apply(x: Tensor) -> Tensor:
        with torch.no_grad():
            return operation([x])[0]

    def transpose(y: Tensor) -> Tensor:
        leaf = like.new_zeros(len(y), *like.shape[1:]).requires_grad_()
        with torch.enable_grad():
            (found,) = torch.autograd.grad(operation([leaf])[0], leaf, y)
        return found

    return apply, transpose


def by_itself(operation: Replay, like: Tensor) -> list[Norm]:
    """The norm of a small operation of one input by its singular values; none of one that is not small."""
    shape = like.shape[1:]
    with torch.no_grad():
        made = operation([like])[0]
        if shape.numel() > SMALL or shape.numel() * made[0].numel() > ENTRIES:
            return []
        matrix = operation([torch.eye(shape.numel(), dtype=like.dtype).view(-1, *shape)])[0].reshape(shape.numel(), -1)
    return [Norm(of_matrix(matrix), "singular value")]
