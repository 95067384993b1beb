"""What a critic really does between two points: secants, and jumps.

A gradient norm is a promise about one point. A score that jumps between the linear pieces of its critic has small
gradients and secants without bound, so the secants are sought: on a piecewise-linear critic the gradient norm is
piecewise constant, and nothing leads from one facet to the next but the secant itself.
"""

from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.measuring.functions import Function

DISTANCES = (1.0, 0.1, 0.01, 0.001)
PARTS = 10  # into which a segment is cut at each level; each of DISTANCES is that part of the one before
ASCENTS = 5  # steps along the gradient of the secant at each distance
STRIDE = 0.5  # of a step of both ends, in distances
PIECES = 32  # of a segment on which total variation and slope are compared


class Segments(NamedTuple):
    """Pairs of points.

    Attributes:
        start: their first ends.
        direction: from there to the second ends, of length 1.
        length: their distances.
    """

    start: Float[Tensor, "n c h w"]
    direction: Float[Tensor, "n c h w"]
    length: Float[Tensor, " n"]

    @classmethod
    def join(cls, starts: Float[Tensor, "n c h w"], ends: Float[Tensor, "n c h w"]) -> "Segments":
        """Those between points that are not equal."""
        length = torch.linalg.vector_norm((ends - starts).flatten(1), dim=1)
        return cls(starts, (ends - starts) / _wide(length), length)

    @property
    def end(self) -> Float[Tensor, "n c h w"]:
        """Their second ends."""
        return self.start + _wide(self.length) * self.direction

    def part(self, offsets: Float[Tensor, " n"], length: Float[Tensor, " n"]) -> "Segments":
        """A part of each."""
        return Segments(self.start + _wide(offsets) * self.direction, self.direction, length)


def profile(function: Function, starts: Float[Tensor, "n c h w"], ends: Float[Tensor, "n c h w"]) -> dict[float, float]:
    """The largest secants |D(x) − D(y)| / ‖x − y‖ found at each of `DISTANCES`.

    Each segment is cut into parts, of which the steepest is cut again, down to the smallest distance: of the parts of a
    segment one is at least as steep as the whole, so what is once seen is not lost on the way. At each distance both
    ends then climb along the gradient of the secant. What is found is there; what is not found may be: a jump that is
    smaller than the slope beside it and against it stays unseen.

    Args:
        function: of points in float64: at a distance of 1e-3, float32 rounds differences away.
        starts: where the segments begin, float64.
        ends: as many points; a pair of equal ones is left out.
    """
    apart = (starts != ends).flatten(1).any(dim=1)
    if not apart.any():
        return dict.fromkeys(DISTANCES, 0.0)
    segments = Segments.join(starts[apart], ends[apart])
    while (long := segments.length > (PARTS + 1) * DISTANCES[0]).any():
        segments = _chosen(long, _steepest_part(function, segments), segments)
    segments = _steepest_window(function, segments, DISTANCES[0])
    found: dict[float, float] = {}
    for distance in DISTANCES:
        if distance != DISTANCES[0]:
            segments = _steepest_part(function, segments)
        segments, secants = _ascend(function, segments)
        found[distance] = float(secants.max())
    return found


def between(values_: Float[Tensor, "k n"], points: Float[Tensor, "n c h w"], closest: float = 1e-3) -> list[float]:
    """The largest secant over all pairs of points, of each of k functions whose values are known already.

    What rounding may have added to a difference is taken off, so that it is never larger than there is.

    Args:
        values_: of the functions at the points.
        points: where.
        closest: pairs nearer than this are left out.
    """
    flat = points.flatten(1)
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    found = []
    for mine in values_:
        rounding = 8 * torch.finfo(mine.dtype).eps * mine.abs().max()
        differences = ((mine[:, None] - mine[None]).abs() - rounding).clamp_min(0)
        found.append(float((differences / distances).where(distances > closest, 0.0).max()))
    return found


def variation_gap(function: Function, starts: Float[Tensor, "n c h w"], ends: Float[Tensor, "n c h w"]) -> float:
    """The part of the total variation on segments that no gradient explains, from 0 (continuous) to 1 (all jumps).

    (TV − ∫|∂D|) / TV over all segments together, TV over `PIECES` pieces and the integral by a point drawn in each.
    What goes up and down within a piece adds to the integral alone: a negative difference counts as 0, and so does a
    constant. Where a function rises on a part of a piece alone, the drawn point meets it in that part of the cases.
    """
    along = ends - starts
    grid = torch.linspace(0, 1, PIECES + 1, dtype=starts.dtype, device=starts.device)
    seen = torch.stack([function.value(starts + t * along) for t in grid])
    total = (seen[1:] - seen[:-1]).abs().sum()
    explained = total.new_zeros(())
    rng = torch.Generator().manual_seed(0)
    for first in grid[:-1]:
        drawn = torch.rand(len(starts), generator=rng, dtype=torch.float64).to(starts)
        _, gradient = function.value_and_gradient(starts + _wide(first + drawn / PIECES) * along)
        explained += (gradient * along).flatten(1).sum(1).abs().sum() / PIECES
    return float(((total - explained) / total).clamp_min(0)) if total > 0 else 0.0


def _steepest_part(function: Function, segments: Segments) -> Segments:
    """That of `PARTS` equal ones, end to end."""
    length = segments.length / PARTS
    ends = [segments.part(part * length, length) for part in range(PARTS + 1)]
    seen = torch.stack([function.value(piece.start) for piece in ends])
    return _best(ends[:-1], (seen[1:] - seen[:-1]).abs() / length)


def _steepest_window(function: Function, segments: Segments, distance: float) -> Segments:
    """That of so many of this length as cover a segment; shorter segments are prolonged beyond both ends."""
    length = torch.full_like(segments.length, distance)
    room = segments.length - length
    tries = [segments.part((room * part / PARTS).where(room > 0, room / 2), length) for part in range(PARTS + 1)]
    return _best(tries, torch.stack([(function.value(t.end) - function.value(t.start)).abs() for t in tries]))


def _best(tries: list[Segments], secants: Float[Tensor, "k n"]) -> Segments:
    chosen = secants.argmax(dim=0)
    best = tries[0]
    for index, other in enumerate(tries[1:], start=1):
        best = _chosen(chosen == index, other, best)
    return best


def _ascend(function: Function, segments: Segments) -> tuple[Segments, Float[Tensor, " n"]]:
    """Climb from what is best so far, by steps that shrink: first the whole way into the steepest direction."""
    best, climb = segments, _climb(function, segments)
    for step in range(ASCENTS):
        part = 2.0**-step
        shifted = best.start + part * STRIDE * _wide(best.length) * climb.shift
        turned = _unit((1 - part) * best.direction + part * climb.turn)
        turned = torch.where(_wide((turned != 0).flatten(1).any(dim=1)), turned, best.direction)  # no way leads up
        present = Segments(shifted, turned, best.length)
        tried = _climb(function, present)
        better = tried.secant > climb.secant
        best, climb = _chosen(better, present, best), _chosen(better, tried, climb)
    return best, climb.secant


class _Climb(NamedTuple):
    """The secant of each segment, and where it rises: by moving both ends, and by turning."""

    secant: Float[Tensor, " n"]
    shift: Float[Tensor, "n c h w"]
    turn: Float[Tensor, "n c h w"]


Kind = TypeVar("Kind", Segments, _Climb)


def _climb(function: Function, segments: Segments) -> _Climb:
    near, near_gradient = function.value_and_gradient(segments.start)
    far, far_gradient = function.value_and_gradient(segments.end)
    sign = _wide((far - near).sign())
    return _Climb(
        (far - near).abs() / segments.length,
        _unit(sign * (far_gradient - near_gradient)),
        _unit(sign * (far_gradient + near_gradient)),
    )


def _chosen(where: Tensor, these: Kind, others: Kind) -> Kind:
    """Sample by sample, these where they are chosen and the others elsewhere."""
    pairs = zip(these, others, strict=True)
    return type(these)(*(torch.where(where if one.dim() == 1 else _wide(where), one, other) for one, other in pairs))


def _unit(vectors: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Each of length 1, or 0 where it was 0."""
    # By the largest number first: the squares of very small ones vanish.
    least = torch.finfo(vectors.dtype).tiny
    scaled = vectors / _wide(vectors.flatten(1).abs().amax(dim=1).clamp_min(least))
    return scaled / _wide(torch.linalg.vector_norm(scaled.flatten(1), dim=1).clamp_min(least))


def _wide(numbers: Tensor) -> Tensor:
    """One number a sample, ready to meet points."""
    return numbers[:, None, None, None]
