"""A function along a segment, the whole of it and the steepest place: what a figure shows."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.measuring.functions import Function

STEPS = 100  # of a segment, and of its steepest place
NEAR = 2  # steps of the segment that its steepest place covers


@dataclass(frozen=True)
class Course:
    """Values along one segment.

    Attributes:
        at: distances from the start, ``STEPS + 1`` of them, the last one the length of the segment.
        value: there.
        near_at: as many distances, around the steepest of those steps.
        near_value: there.
    """

    at: Float[Tensor, " k"]
    value: Float[Tensor, " k"]
    near_at: Float[Tensor, " k"]
    near_value: Float[Tensor, " k"]

    @property
    def secant(self) -> float:
        """The largest between neighbouring points of the steepest place."""
        return float((self.near_value.diff() / self.near_at.diff()).abs().max())


def course(function: Function, starts: Float[Tensor, "n c h w"], ends: Float[Tensor, "n c h w"]) -> Course:
    """That of the segment with the steepest step, out of n.

    Args:
        function: of points.
        starts: where the segments begin.
        ends: as many points, none of them its segment's start.
    """
    along = ends - starts
    lengths = torch.linalg.vector_norm(along.flatten(1), dim=1)
    grid = torch.linspace(0, 1, STEPS + 1, dtype=starts.dtype, device=starts.device)
    seen = torch.stack([function.value(starts + part * along) for part in grid])
    steepest = ((seen[1:] - seen[:-1]).abs() / lengths).argmax()
    step, chosen = divmod(int(steepest), len(starts))
    first = min(max(0, step - NEAR // 2), STEPS - NEAR)
    near = grid[first] + grid * NEAR / STEPS
    near_value = function.value(starts[chosen] + near[:, None, None, None] * along[chosen])
    length = lengths[chosen]
    return Course(grid * length, seen[:, chosen], near * length, near_value)
