"""The funnels of the W1 benchmark: a potential whose optimal transport is known along its rays.

The potential is u(x) = minₖ(‖x − aₖ‖ + bₖ). Fake points y are uniform in a box; each moves along its ray towards the
centre of its funnel: the fraction t of the ray's length inside box and funnel becomes t⁸. Real points are where they
arrive, so W₁ = E‖y − T(y)‖ and the best critic is −u.

Paper: Korotin, Kolesov & Burnaev 2022, Kantorovich Strikes Back!, arXiv:2206.07767
"""

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.interfaces.dataset import digest
from lipbench.interfaces.pair import Pair

SIDE = 2.5  # the box is [−SIDE, SIDE] in every coordinate
POWER = 8
SAMPLES = 2**19  # from which the true distance is taken, to a thousandth
DRAW = 2206_07767  # the seed of their draw: no other than this one, or centres of that seed would be among them
BLOCK = 8192
NEAREST = 1e-6  # nearer to its centre a point in float32 no longer says from where it came


class Funnels(Pair):
    """Points in funnels; everything is computed in float64, as t⁸ lands on the centre in float32.

    Args:
        centres: inside the box.
        offsets: what a funnel's potential is at its centre.
    """

    def __init__(self, centres: Float[Tensor, "k d"], offsets: Float[Tensor, " k"]) -> None:
        self.centres, self.offsets = centres.double(), offsets.double()
        self._apart = _distances(self.centres, self.centres)
        self.dim = centres.shape[1]
        self.digest = digest(centres.float(), offsets.float())
        self.w1 = self._distance()

    def sample(self, count: int, rng: torch.Generator) -> tuple[Float[Tensor, "n d 1 1"], Float[Tensor, "n d 1 1"]]:
        """Draw two batches of the box and move one of them."""
        both = self._box(2 * count, rng)
        real, fake = self.transport(both[:count]), both[count:]
        return real.float()[..., None, None], fake.float()[..., None, None]

    def slope(self, points: Float[Tensor, "n d 1 1"]) -> Float[Tensor, "n d 1 1"]:
        """Towards the centre of the point's funnel; NaN within 1e-6 of it."""
        flat = points.flatten(1).double()
        nearest, radius = self._nearest(flat)
        inwards = (self.centres.to(flat.device)[nearest] - flat) / radius[:, None]
        inwards[radius < NEAREST] = torch.nan
        return inwards.to(points.dtype).view_as(points)

    def potential(self, points: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The potential u, float64."""
        return (_distances(points, self.centres.to(points.device)) + self.offsets.to(points.device)).amin(dim=1)

    def transport(self, points: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """Move points of the box towards their centres, float64; a point on its centre stays there."""
        nearest, radius = self._nearest(points)
        centre = self.centres.to(points.device)[nearest]
        direction = (points - centre) / radius.clamp_min(torch.finfo(points.dtype).tiny)[:, None]
        length = torch.minimum(_to_wall(centre, direction), self._to_border(nearest, direction))
        # Rounding may put a point of the border just outside of it; on a centre there is no ray.
        fraction = (radius / length).clamp_max(1)
        moved = (fraction**POWER * length).where(radius > 0, 0.0)
        return centre + moved[:, None] * direction

    def _box(self, count: int, rng: torch.Generator) -> Float[Tensor, "n d"]:
        uniform = torch.rand(count, self.dim, generator=rng, device=rng.device, dtype=torch.float64)
        return SIDE * (2 * uniform - 1)

    def _nearest(self, points: Float[Tensor, "n d"]) -> tuple[Tensor, Float[Tensor, " n"]]:
        """The funnel of each point, and its distance to the centre."""
        distances = _distances(points, self.centres.to(points.device))
        nearest = (distances + self.offsets.to(points.device)).argmin(dim=1)
        return nearest, distances.gather(1, nearest[:, None])[:, 0]

    def _to_border(self, nearest: Tensor, direction: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """How far a ray from its centre stays in its funnel; infinite where it never leaves.

        At a distance s from centre k the funnel of j begins where s + bₖ = ‖s·e − d‖ + bⱼ with d = aⱼ − aₖ; with
        β = bₖ − bⱼ, squaring gives s = (‖d‖² − β²) / (2(β + e·d)), where the denominator is positive.
        """
        centres, offsets = self.centres.to(direction.device), self.offsets.to(direction.device)
        apart = self._apart.to(direction.device)[nearest]
        lead = offsets[nearest, None] - offsets
        along = direction @ centres.T
        towards = lead + along - along.gather(1, nearest[:, None])
        border = (apart.square() - lead.square()) / (2 * towards)
        # Its own funnel is 0/0; where the denominator is not positive the ray runs away from the other funnel.
        return border.where(towards > 0, torch.inf).scatter(1, nearest[:, None], torch.inf).amin(dim=1)

    def _distance(self) -> float:
        rng = torch.Generator().manual_seed(DRAW)
        moved = []
        for _ in range(SAMPLES // BLOCK):
            block = self._box(BLOCK, rng)
            moved.append((block - self.transport(block)).norm(dim=1))
        return float(torch.cat(moved).mean())


def _to_wall(centre: Float[Tensor, "n d"], direction: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """How far a ray stays in the box; a coordinate in which it does not move never meets a wall."""
    room = SIDE - centre * direction.sign()
    return (room / direction.abs()).where(direction != 0, torch.inf).amin(dim=1)


def _distances(points: Float[Tensor, "n d"], centres: Float[Tensor, "k d"]) -> Float[Tensor, "n k"]:
    # The matrix product that torch would take above 25 rows cancels digits.
    return torch.cdist(points, centres, compute_mode="donot_use_mm_for_euclid_dist")
