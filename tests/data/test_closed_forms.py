"""Pairs whose distance is a formula: against SciPy's distance of samples in one dimension."""

from typing import Any

import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from lipbench import Dataset, Pair
from lipbench.data.gauss_scale import ScaledGaussians
from lipbench.data.gauss_shift import ShiftedGaussians
from lipbench.data.shells import Shells
from lipbench.interfaces.pair import check

COUNT = 100_000
SHIFTED = [ShiftedGaussians(dim=dim, shift=shift) for dim, shift in ((1, 1.0), (3, 0.3), (16, 5.0))]
RADIAL: list[Dataset] = [
    kind(dim=dim, real=real, fake=fake)
    for kind in (ScaledGaussians, Shells)
    for dim, real, fake in ((1, 1.0, 2.0), (2, 3.0, 0.5), (16, 0.1, 0.3))
]


def made(data: Dataset) -> Pair:
    pair = data.load()
    assert isinstance(pair, Pair)
    return pair


def drawn(pair: Pair, count: int = COUNT) -> tuple[Tensor, Tensor]:
    return pair.sample(count, torch.Generator().manual_seed(7))


def error(real: Tensor, fake: Tensor) -> float:
    """The standard error of the difference of two means, as of the distance where one line lies beside the other."""
    return float((real.var() / len(real) + fake.var() / len(fake)).sqrt())


def best(pair: Pair, points: Tensor) -> Tensor:
    """A critic whose slope is the pair's: linear or radial."""
    return (pair.slope(points) * points).flatten(1).sum(1)


def along(data: Dataset, points: Tensor) -> Tensor:
    """The one coordinate in which the two distributions differ."""
    if isinstance(data, ShiftedGaussians):
        return points.flatten(1).sum(1) / data.dim**0.5
    return points.flatten(1).norm(dim=1)


@pytest.mark.parametrize("data", [*SHIFTED, *RADIAL])
def test_the_distance_is_that_of_samples_in_the_one_coordinate_in_which_they_differ(data: Dataset) -> None:
    pair = made(data)
    real, fake = (along(data, points) for points in drawn(pair))
    assert wasserstein_distance(real.numpy(), fake.numpy()) == pytest.approx(pair.w1, abs=5 * error(real, fake) + 1e-6)


@pytest.mark.parametrize("data", [ShiftedGaussians(dim=1, shift=2.0), ScaledGaussians(dim=1), Shells(dim=1)])
def test_on_a_line_the_distance_is_that_of_the_points_themselves(data: Dataset) -> None:
    pair = made(data)
    real, fake = (points.flatten() for points in drawn(pair))
    # On two mirrored halves whose shares differ by chance, some of the mass has to cross the middle.
    within = 5 * error(real, fake) + 1e-6
    assert wasserstein_distance(real.numpy(), fake.numpy()) == pytest.approx(pair.w1, abs=within)


@pytest.mark.parametrize("data", [*SHIFTED, *RADIAL])
def test_slopes_have_norm_1_and_their_critic_attains_the_distance(data: Dataset) -> None:
    pair = made(data)
    real, fake = drawn(pair)
    torch.testing.assert_close(pair.slope(real).flatten(1).norm(dim=1), torch.ones(COUNT))
    highs, lows = best(pair, real), best(pair, fake)
    assert float(highs.mean() - lows.mean()) == pytest.approx(pair.w1, abs=5 * error(highs, lows) + 1e-5)


@pytest.mark.parametrize("data", RADIAL)
def test_a_radial_slope_is_undefined_in_the_origin_alone(data: Dataset) -> None:
    pair = made(data)
    places = torch.zeros(2, *pair.shape)
    places[1] = 1e-3
    slope = pair.slope(places)
    assert slope[0].isnan().all()
    assert slope[1].isfinite().all()


def test_points_of_shells_lie_on_them() -> None:
    real, fake = drawn(made(Shells(dim=5, real=2.0, fake=0.5)), 1000)
    torch.testing.assert_close(real.flatten(1).norm(dim=1), torch.full((1000,), 2.0))
    torch.testing.assert_close(fake.flatten(1).norm(dim=1), torch.full((1000,), 0.5))


@pytest.mark.parametrize("data", [*SHIFTED, *RADIAL])
def test_a_pair_keeps_the_promises_of_its_interface(data: Dataset) -> None:
    check(made(data))


def test_every_parameter_shows_in_the_digest() -> None:
    changes: list[dict[str, Any]] = [{}, {"dim": 3}, {"real": 1.5}, {"fake": 3.0}]
    radial = [made(kind(**change)).digest for kind in (ScaledGaussians, Shells) for change in changes]
    shifted = [made(ShiftedGaussians(**change)).digest for change in ({}, {"dim": 3}, {"shift": 2.0})]
    assert len({*radial, *shifted}) == len(radial) + len(shifted)


@pytest.mark.parametrize("kind", [ScaledGaussians, Shells])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"dim": 0}, "dim is 0; it must be from 1 to 100,000"),
        ({"real": 0.0}, "they must be positive and different"),
        ({"fake": -1.0}, "they must be positive and different"),
        ({"real": 2.0}, "they must be positive and different"),
        ({"real": float("nan")}, "they must be positive and different"),
    ],
)
def test_scales_that_mean_nothing_are_refused(kind: Any, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        kind(**parameters)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"dim": 0}, "dim is 0; it must be from 1 to 100,000"),
        ({"shift": 0.0}, "shift must be greater than 0"),
        ({"shift": -1.0}, "shift must be greater than 0"),
        ({"shift": float("nan")}, "shift must be greater than 0"),
    ],
)
def test_a_shift_that_means_nothing_is_refused(parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ShiftedGaussians(**parameters)
