"""Precision, recall, density and coverage: how far the supports of two sets of features overlap.

Formula: with B(x) the ball around x to its k-th nearest neighbour of the same set: how many points lie in which balls
Paper: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797
Also: precision, recall, density, coverage, prc
"""

from collections.abc import Iterator
from hashlib import sha256

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.errors import RequestError
from lipbench.interfaces.measure import Measure

NUMBERS = 2**24  # distances at once: 128 MiB
EQUAL = 1e-9  # of a squared distance: two that differ by less differ by rounding alone
ZERO = 1e-12  # of a squared length: a smaller squared distance is that of a point from its equal
_KNOWN: dict[tuple[str, str, int], Tensor] = {}  # radii by the digest of their points


class Prdc(Measure):
    """Which parts of one set of features lie within the reach of the other; `k` neighbours decide how far it goes."""

    better = "higher"
    low = 0.0
    high = 1.0
    columns = {
        "precision": {
            "definition": "The part of the generated pictures that lie in the ball of a real picture to its k-th "
            "nearest other real one, by their features."
        },
        "recall": {
            "definition": "The part of the real pictures that lie in the ball of a generated picture to its k-th "
            "nearest other generated one, by their features."
        },
        "density": {
            "high": None,
            "definition": "In how many balls of real pictures a generated picture lies on average, over k, by their "
            "features.",
        },
        "coverage": {
            "definition": "The part of the real pictures in whose ball to their k-th nearest other real one a "
            "generated picture lies, by their features."
        },
    }
    k: int = 5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}; expected a whole number of at least 1")

    def of_features(self, fake: Float[Tensor, "n d"], real: Float[Tensor, "m d"]) -> dict[str, float]:
        """Count, for each pair of points, which lies in the other's ball."""
        for what, points in (("generated", fake), ("real", real)):
            if len(points) <= self.k:
                raise RequestError(
                    f"prdc with k = {self.k} looks for the {self.k}-th nearest of {len(points)} {what} pictures; "
                    f"expected at least {self.k + 1}, or a smaller k: prdc[k=…]"
                )
        # In float64: a squared distance is a small difference of large numbers, and TF32 does not reach it.
        fake, real = fake.double(), real.double()
        of_real, of_fake = _radii_once(real, self.k), _radii(fake, self.k)
        precise = density = 0
        recalled, covered = (torch.zeros(len(real), dtype=torch.bool, device=real.device) for _ in range(2))
        for rows, distances in _distances(fake, real):
            within = distances < of_real
            precise += int(within.any(dim=1).sum())
            density += int(within.sum())
            covered |= within.any(dim=0)
            recalled |= (distances < of_fake[rows, None]).any(dim=0)
        return {
            "precision": precise / len(fake),
            "recall": float(recalled.double().mean()),
            "density": density / (self.k * len(fake)),
            "coverage": float(covered.double().mean()),
        }


def _distances(points: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances, (rows, m), of some rows of `points` after the other."""
    size = max(1, NUMBERS // len(others))
    lengths = others.square().sum(dim=1)
    for begin in range(0, len(points), size):
        some = points[begin : begin + size]
        products = torch.addmm(lengths.expand(len(some), -1), some, others.T, alpha=-2)
        distances = products.add_(some.square().sum(dim=1, keepdim=True)).clamp_min_(0)
        yield slice(begin, begin + len(some)), distances


def _radii_once(points: Float[Tensor, "m d"], k: int) -> Float[Tensor, " m"]:
    """`_radii` of real pictures, which are the same ones at each evaluation, and many."""
    wanted = sha256(points.cpu().contiguous().numpy().data).hexdigest(), str(points.device), k
    if wanted not in _KNOWN:
        _KNOWN.clear()
        _KNOWN[wanted] = _radii(points, k)
    return _KNOWN[wanted]


def _radii(points: Float[Tensor, "n d"], k: int) -> Float[Tensor, " n"]:
    """Squared distances to the k-th nearest other point; what lies as far, up to rounding, is not within."""
    found = []
    for rows, distances in _distances(points, points):
        own = torch.arange(rows.start, rows.stop, device=points.device)
        distances[torch.arange(len(own), device=points.device), own] = torch.inf
        found.append(distances.topk(k, largest=False).values[:, -1])
    radii = torch.cat(found) * (1 - EQUAL)
    return radii.where(radii > ZERO * points.square().sum(dim=1), 0.0)
