"""Equal mixtures of round Gaussians in the plane: modes to count, or curves, with a density in closed form."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lipbench.interfaces.dataset import digest
from lipbench.interfaces.distribution import Distribution
from lipbench.interfaces.modes import Modes

NEAR = 3.0  # standard deviations from the nearest centre, within which a sample is of high quality
ALONG = 2048  # centres along a curve: far nearer to each other than a standard deviation
MOST = 1000  # modes


class Mixture(Distribution):
    """Gaussians of one standard deviation around centres, all equally likely.

    Args:
        centres: of the Gaussians.
        std: in each of the two coordinates.
        has_modes: whether the centres are modes; else they lie along a curve.
    """

    dim = 2

    def __init__(self, centres: Float[Tensor, "k 2"], std: float, *, has_modes: bool = True) -> None:
        self.centres, self.std = centres.float(), std
        self.digest = digest(self.centres, torch.tensor([std, has_modes], dtype=torch.float64))
        self.modes = _Nearest(self.centres) if has_modes else None
        apart = float(torch.pdist(centres.double()).min()) if len(centres) > 1 else math.inf
        if not has_modes and apart > std:
            self.notes = (
                f"The curve falls apart into {len(centres):,} points: they are {apart:.2g} apart, and std is {std:g}",
            )
        elif has_modes and apart < 2 * NEAR * std:
            self.notes = (
                f"The modes overlap: neighbours are {apart:g} apart, less than {2 * NEAR:g} standard deviations "
                f"({2 * NEAR * std:g}), so that a sample of one may count for another",
            )

    def sample(self, count: int, rng: torch.Generator) -> Float[Tensor, "n 2 1 1"]:
        """Draw a centre for each point, and a Gaussian around it."""
        chosen = torch.randint(len(self.centres), (count,), generator=rng, device=rng.device)
        around = self.std * torch.randn(count, 2, generator=rng, device=rng.device)
        return (self.centres.to(rng.device)[chosen] + around)[..., None, None]

    def log_density(self, points: Float[Tensor, "n 2 1 1"]) -> Float[Tensor, " n"]:
        """Sum the Gaussians, in float64."""
        exponents = -_distances(points, self.centres).square() / (2 * self.std**2)
        scale = math.log(len(self.centres)) + math.log(2 * math.pi * self.std**2)
        return exponents.logsumexp(dim=1) - scale

    def near(self, points: Float[Tensor, "n 2 1 1"]) -> Bool[Tensor, " n"]:
        """Whether the nearest centre is within three standard deviations."""
        return _distances(points, self.centres).amin(dim=1) <= NEAR * self.std


class _Nearest(Modes):
    def __init__(self, centres: Float[Tensor, "k 2"]) -> None:
        self.centres = centres
        self.probabilities = torch.full((len(centres),), 1 / len(centres), dtype=torch.float64)

    def of(self, samples: Tensor) -> Int[Tensor, " n"]:
        return _distances(samples, self.centres).argmin(dim=1)


def _distances(points: Tensor, centres: Float[Tensor, "k 2"]) -> Float[Tensor, "n k"]:
    # The matrix product that torch would take above 25 rows cancels digits.
    mode = "donot_use_mm_for_euclid_dist"
    return torch.cdist(points.flatten(1).double(), centres.to(points.device).double(), compute_mode=mode)


def along(count: int = ALONG) -> Float[Tensor, " k"]:
    """The middles of so many equal parts of the interval from 0 to 1: the parameters of points along a curve."""
    return (torch.arange(count, dtype=torch.float64) + 0.5) / count


def check_positive(**values: float) -> None:
    """See that parameters are positive.

    Raises:
        ValueError: one is not, or is not finite.
    """
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number above 0, and is {value:g}")


def check_count(name: str, value: int, most: int) -> None:
    """See that a count is from 1 to `most`.

    Raises:
        ValueError: it is not.
    """
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most:,}, and is {value}")
