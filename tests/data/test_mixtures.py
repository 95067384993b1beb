"""Mixtures of Gaussians in the plane: samples, density and modes against each other and against closed forms."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lipbench import Dataset
from lipbench.data._mixture import Mixture
from lipbench.data.dirac import Dirac
from lipbench.data.grid import Grid
from lipbench.data.ring import Ring
from lipbench.data.swiss_roll import SwissRoll
from lipbench.data.two_moons import TwoMoons
from lipbench.errors import RequestError
from lipbench.interfaces.distribution import check
from lipbench.plugins.kinds import DATASET
from tests.builtin import plugin

COUNT = 20_000
MODAL: list[Dataset] = [Ring(), Ring(modes=1, radius=1.0, std=0.3), Grid(), Grid(side=2, spacing=0.7, std=0.1)]
CURVES: list[Dataset] = [SwissRoll(), SwissRoll(radius=1.0, std=0.1), TwoMoons(), TwoMoons(radius=2.0, std=0.2)]


def made(data: Dataset) -> Mixture:
    found = data.load()
    assert isinstance(found, Mixture)
    return found


def drawn(data: Dataset, count: int = COUNT, seed: int = 7) -> Tensor:
    return made(data).sample(count, torch.Generator().manual_seed(seed))


def places(*points: tuple[float, float]) -> Tensor:
    return torch.tensor(points)[..., None, None]


def squares(mixture: Mixture, side: int) -> tuple[Tensor, float]:
    """The middles of side × side squares that hold all of a mixture, (side, side, 2), and the area of each."""
    reach = float(mixture.centres.abs().max()) + 6 * mixture.std
    middles = reach * ((torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 - 1)
    return torch.stack(torch.meshgrid(middles, middles, indexing="ij"), dim=2), (2 * reach / side) ** 2


@pytest.mark.parametrize("data", [*MODAL, *CURVES])
def test_a_distribution_keeps_the_promises_of_its_interface(data: Dataset) -> None:
    check(made(data))


# Squares of less than a standard deviation, for which the midpoint rule is exact to rounding.
@pytest.mark.parametrize("data", [Ring(radius=1.0, std=0.1), MODAL[3], CURVES[1], CURVES[3]])
def test_the_density_integrates_to_1(data: Dataset) -> None:
    mixture = made(data)
    middles, area = squares(mixture, 60)
    density = torch.cat([mixture.log_density(row[..., None, None].float()) for row in middles]).exp()
    assert float(density.sum() * area) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("data", [MODAL[1], MODAL[3], CURVES[1], CURVES[3]])
def test_as_many_samples_fall_into_a_square_as_the_density_says(data: Dataset) -> None:
    mixture = made(data)
    middles, area = squares(mixture, 120)
    density = torch.cat([mixture.log_density(row[..., None, None].float()) for row in middles]).exp()
    expected = COUNT * area * density.view(12, 10, 12, 10).sum((1, 3))
    reach = float(middles.max()) + area**0.5 / 2
    found, _ = torch.histogramdd(drawn(data).flatten(1).double(), bins=[12, 12], range=[-reach, reach] * 2)
    assert found.sum() == COUNT
    filled = expected > 5
    # The sum of squared standard scores, one fewer than squares that are free to vary.
    chi = float(((found - expected).square() / expected)[filled].sum())
    freedom = int(filled.sum()) - 1
    assert chi < freedom + 5 * (2 * freedom) ** 0.5


@pytest.mark.parametrize("modes", [1, 4, 9])
def test_the_density_at_a_lone_centre_is_that_of_its_gaussian(modes: int) -> None:
    ring = made(Ring(modes=modes, radius=2.0, std=0.02))
    found = ring.log_density(places((2.0, 0.0), (2.02, 0.0)))
    peak = -math.log(modes * 2 * math.pi * 0.02**2)
    torch.testing.assert_close(found, torch.tensor([peak, peak - 0.5], dtype=torch.float64), rtol=0, atol=1e-4)


def test_the_modes_of_a_ring_lie_evenly_on_its_circle_the_first_on_the_right() -> None:
    corners = torch.tensor([[3.0, 0.0], [0.0, 3.0], [-3.0, 0.0], [0.0, -3.0]])
    torch.testing.assert_close(made(Ring(modes=4, radius=3.0)).centres, corners, rtol=0, atol=1e-6)
    centres = made(Ring(modes=7, radius=1.5)).centres
    torch.testing.assert_close(centres.norm(dim=1), torch.full((7,), 1.5))
    beside = (centres - centres.roll(1, 0)).norm(dim=1)
    torch.testing.assert_close(beside, torch.full((7,), 3.0 * math.sin(math.pi / 7)))


def test_the_modes_of_a_grid_lie_around_the_origin() -> None:
    assert made(Grid(side=1)).centres.tolist() == [[0, 0]]
    found = {tuple(centre) for centre in made(Grid(side=3, spacing=0.5)).centres.tolist()}
    assert found == {(x, y) for x in (-0.5, 0.0, 0.5) for y in (-0.5, 0.0, 0.5)}


def test_a_roll_makes_one_turn_and_a_half_and_ends_at_its_radius() -> None:
    centres = made(SwissRoll(radius=3.0)).centres.double()
    distances = centres.norm(dim=1)
    assert float(distances.min()) == pytest.approx(1, abs=2e-3)
    assert float(distances.max()) == pytest.approx(3, abs=2e-3)
    assert bool((distances.diff() > 0).all())
    angle = torch.atan2(centres[:, 1], centres[:, 0])
    turned = (angle.diff() + math.pi).remainder(2 * math.pi) - math.pi
    assert float(turned.sum()) == pytest.approx(3 * math.pi, abs=1e-2)


def test_moons_are_half_circles_that_mirror_each_other_in_the_origin() -> None:
    upper, lower = made(TwoMoons(radius=2.0)).centres.chunk(2)
    middle = torch.tensor([-1.0, -0.5])
    torch.testing.assert_close((upper - middle).norm(dim=1), torch.full((len(upper),), 2.0))
    assert bool((upper[:, 1] > -0.5).all())
    torch.testing.assert_close(lower, -upper)


@pytest.mark.parametrize("data", [Ring(), Ring(modes=3, radius=1.0, std=0.1), Grid(), Grid(side=2, std=0.2)])
def test_of_real_points_the_share_of_a_gaussian_is_near_a_mode(data: Dataset) -> None:
    share = 1 - math.exp(-9 / 2)
    near = made(data).near(drawn(data)).double()
    assert float(near.mean()) == pytest.approx(share, abs=4 * (share * (1 - share) / COUNT) ** 0.5)


@pytest.mark.parametrize("data", CURVES)
def test_of_real_points_even_more_are_near_a_curve(data: Dataset) -> None:
    share = float(made(data).near(drawn(data)).double().mean())
    assert 1 - math.exp(-9 / 2) < share < 1
    assert made(data).modes is None


def test_near_ends_at_three_standard_deviations() -> None:
    grid = made(Grid(side=1, std=0.1))
    assert grid.near(places((0.299, 0.0), (0.0, -0.301), (0.21, 0.21), (0.22, 0.22))).tolist() == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("data", [Ring(), Ring(modes=30), Grid(), Grid(side=1)])
def test_a_sample_belongs_to_the_mode_from_which_it_was_drawn(data: Dataset) -> None:
    mixture = made(data)
    assert mixture.modes is not None
    count = len(mixture.centres)
    order = torch.arange(count).repeat(50)
    noise = mixture.std * torch.randn(len(order), 2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(mixture.modes.of((mixture.centres[order] + noise)[..., None, None]), order)
    assert mixture.modes.count == count
    assert mixture.modes.probabilities.tolist() == pytest.approx([1 / count] * count)


@pytest.mark.parametrize("data", [Ring(), Grid()])
def test_all_modes_are_equally_likely(data: Dataset) -> None:
    mixture = made(data)
    assert mixture.modes is not None
    found = torch.bincount(mixture.modes.of(drawn(data)), minlength=mixture.modes.count).double()
    expected = COUNT / mixture.modes.count
    assert float((found - expected).abs().max()) < 5 * expected**0.5


def test_modes_that_overlap_are_said_to_and_others_not() -> None:
    (note,) = made(Ring(modes=8, radius=1.0, std=0.2)).notes
    assert note.startswith("The modes overlap: neighbours are 0.765367 apart, less than 6 standard deviations (1.2)")
    assert made(Grid(spacing=0.29)).notes
    for data in (Ring(), Ring(modes=1, std=5.0), Grid(), Grid(spacing=0.31), *CURVES):
        assert made(data).notes == ()


def test_every_parameter_shows_in_the_digest() -> None:
    found = [
        made(data).digest
        for data in (
            *(Ring(**each) for each in ({}, {"modes": 9}, {"radius": 2.1}, {"std": 0.021})),
            *(Grid(**each) for each in ({}, {"side": 4}, {"spacing": 2.1}, {"std": 0.051})),
            *(kind(**each) for kind in (SwissRoll, TwoMoons) for each in ({}, {"radius": 2.1}, {"std": 0.051})),
        )
    ]
    assert len(set(found)) == len(found)
    assert made(Ring()).digest == found[0]


@given(seed=st.integers(0, 2**32 - 1), which=st.sampled_from([*MODAL, *CURVES]))
def test_a_generator_of_one_seed_gives_the_same_points(seed: int, which: Dataset) -> None:
    assert torch.equal(drawn(which, 50, seed), drawn(which, 50, seed))
    assert not torch.equal(drawn(which, 50, seed), drawn(which, 50, seed + 1))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ring[modes=0]", "modes must be a whole number from 1 to 1,000, and is 0"),
        ("ring[modes=1001]", "modes must be a whole number from 1 to 1,000, and is 1001"),
        ("ring[radius=-1]", "radius must be a finite number above 0, and is -1"),
        ("ring[std=0]", "std must be a finite number above 0, and is 0"),
        ("ring[std=nan]", "std of ring is 'nan'; expected a finite number, such as 0.02"),
        ("ring[modes=8.5]", "modes of ring is '8.5'; expected a whole number, such as 8"),
        ("grid[side=0]", "side must be a whole number from 1 to 31, and is 0"),
        ("grid[spacing=0]", "spacing must be a finite number above 0, and is 0"),
        ("grid[std=-0.5]", "std must be a finite number above 0, and is -0.5"),
        ("swiss-roll[radius=0]", "radius must be a finite number above 0, and is 0"),
        ("swiss-roll[std=inf]", "std of swiss-roll is 'inf'; expected a finite number, such as 0.05"),
        ("two-moons[radius=-2]", "radius must be a finite number above 0, and is -2"),
        ("two-moons[std=0]", "std must be a finite number above 0, and is 0"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_with_its_value(name: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        plugin(DATASET, name)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("kind", [Ring, Grid, SwissRoll, TwoMoons])
def test_what_is_no_finite_number_is_refused_from_python_too(kind: Any, value: float) -> None:
    with pytest.raises(ValueError, match=f"std must be a finite number above 0, and is {value:g}"):
        kind(std=value)


def test_every_point_of_a_dirac_gan_is_the_origin_of_the_line() -> None:
    origin = Dirac().load()
    check(origin)
    assert (origin.shape, origin.modes) == ((1, 1, 1), None)
    points = origin.sample(3, torch.Generator().manual_seed(0))
    assert torch.equal(points, torch.zeros(3, 1, 1, 1))
    assert origin.log_density(points) is None
    assert origin.near(points) is None
