"""Secants and jumps, on functions whose steepest places are known."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lipbench.measuring.functions import Function, of_critic, of_formula
from lipbench.measuring.secants import DISTANCES, between, profile, variation_gap
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import gradient_norm
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from tests.methods.test_methods import create

SEEDS = st.integers(0, 2**31)
normalised = create("gn").score


def drawn(seed: int, count: int = 32, dim: int = 3, spread: float = 2.0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return spread * torch.randn(count, dim, 1, 1, generator=rng, dtype=torch.float64)


def perceptron(seed: int, dim: int = 3) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(dim, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
    ).double()


def linear(slope: list[float]) -> Callable[[Tensor], Tensor]:
    return lambda points: points.flatten(1) @ torch.tensor(slope, dtype=torch.float64)


def across(height: float, slope: float = 0.0) -> Function:
    """A plane along the first axis with a step of this height where the axis begins."""
    return of_formula(lambda points: slope * points[:, 0, 0, 0] + height * (points[:, 0, 0, 0] > 0))


def segments(count: int = 32) -> tuple[Tensor, Tensor]:
    """Across the place where the first axis begins."""
    starts, ends = drawn(0, count), drawn(1, count)
    starts[:, 0], ends[:, 0] = -1 - starts[:, 0].abs(), 1 + ends[:, 0].abs()
    return starts, ends


def test_a_planes_secants_climb_to_its_slope_at_every_distance() -> None:
    plane = of_formula(linear([3.0, 0.0, 4.0]))
    found = profile(plane, drawn(0), drawn(1))
    assert list(found) == list(DISTANCES)
    assert list(found.values()) == pytest.approx([5.0] * len(DISTANCES), abs=1e-9)
    assert variation_gap(plane, drawn(0), drawn(1)) == pytest.approx(0, abs=1e-12)


def test_the_steeper_of_two_pieces_is_found_from_segments_that_cross_both() -> None:
    bent = of_formula(lambda points: torch.maximum(points[:, 0, 0, 0], 7 * points[:, 0, 0, 0]))
    starts, ends = segments()
    found = profile(bent, starts, ends)
    assert list(found.values()) == pytest.approx([7.0] * len(DISTANCES), rel=1e-9)
    assert variation_gap(bent, starts, ends) < 0.01


def test_the_secant_of_a_step_is_its_height_over_the_distance() -> None:
    found = profile(across(0.3), *segments())
    for distance, secant in found.items():
        assert secant == pytest.approx(0.3 / distance, rel=1e-6)


def test_a_steps_whole_variation_is_a_gap_and_beside_a_plane_its_part_of_it() -> None:
    starts, ends = segments()
    assert variation_gap(across(0.3), starts, ends) == pytest.approx(1)
    rise = 2 * float((ends - starts)[:, 0].mean())
    assert variation_gap(across(0.3, slope=2.0), starts, ends) == pytest.approx(0.3 / (0.3 + rise))


def test_a_constant_has_neither_secants_nor_jumps() -> None:
    flat = of_formula(lambda points: 0 * points.flatten(1).sum(1) + 4)
    assert set(profile(flat, *segments()).values()) == {0.0}
    assert variation_gap(flat, *segments()) == 0


def test_pairs_that_coincide_are_left_out() -> None:
    starts, ends = segments(8)
    same = torch.cat([starts, starts])
    assert profile(across(1.0), same, torch.cat([starts, ends])) == profile(across(1.0), starts, ends)
    assert profile(across(1.0), starts, starts) == dict.fromkeys(DISTANCES, 0.0)


@pytest.mark.parametrize("apart", [1e-6, 2000.0, torch.logspace(-3, 3, 32, dtype=torch.float64)[:, None, None, None]])
def test_however_far_apart_the_ends_are_a_plane_has_one_slope(apart: float | Tensor) -> None:
    starts = drawn(0)
    ends = starts + apart * nn.functional.normalize(drawn(1), dim=1)
    found = profile(of_formula(linear([3.0, 0.0, 4.0])), starts, ends)
    assert list(found.values()) == pytest.approx([5.0] * len(DISTANCES), rel=1e-9)


@given(SEEDS)
def test_inside_a_piece_the_slope_of_gradient_normalisation_is_1_minus_its_size_squared(seed: int) -> None:
    score, slope = of_critic(perceptron(seed), normalised).value_and_gradient(drawn(seed))
    torch.testing.assert_close(gradient_norm(slope), (1 - score.abs()).square(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("height", [1.0, -0.1, -2.0])
def test_gradient_normalisation_jumps_at_a_facet_as_the_slopes_differ(height: float) -> None:
    """The critic is x below 0 and 3x above it, lifted by `height`."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        critic[1].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        critic[1].bias.zero_()
        critic[3].weight.copy_(torch.tensor([[3.0, -1.0]]))
        critic[3].bias.fill_(height)
    jump = abs(height) * 2 / ((1 + abs(height)) * (3 + abs(height)))
    starts, ends = torch.tensor([-0.937, 1.031], dtype=torch.float64)[:, None, None, None, None]
    found = profile(of_critic(critic, normalised), starts, ends)
    assert found[1e-3] * 1e-3 == pytest.approx(jump, abs=2e-3)  # and what the slopes add
    assert profile(of_critic(critic, None), starts, ends)[1e-3] == pytest.approx(3)
    assert variation_gap(of_critic(critic, normalised), starts, ends) > 0.02
    assert variation_gap(of_critic(critic, None), starts, ends) == pytest.approx(0, abs=0.01)


@given(SEEDS, st.integers(2, 12))
def test_the_largest_secant_between_points_is_that_of_a_loop_over_pairs(seed: int, count: int) -> None:
    points = drawn(seed, count)
    points[0] = points[-1] + 1e-5  # too near to count
    heights = points.flatten(1).sin().sum(1)
    slopes = [
        float((heights[row] - heights[column]).abs() / (points[row] - points[column]).norm())
        for row in range(count)
        for column in range(row)
        if (points[row] - points[column]).norm() > 1e-3
    ]
    assert between(heights[None], points) == pytest.approx([max(slopes, default=0.0)])


def cone(points: Tensor) -> Tensor:
    flat = points.flatten(1)
    return (flat - 0.5).norm(dim=1).minimum((flat + 1).norm(dim=1) + 0.2)


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([cone, linear([0.6, 0.0, -0.8]), lambda points: points.flatten(1).norm(dim=1).sin()]))
def test_no_secant_of_a_lipschitz_function_exceeds_its_constant(seed: int, formula: Callable[[Tensor], Tensor]) -> None:
    found = profile(of_formula(formula), drawn(seed), drawn(seed + 1))
    assert max(found.values()) <= 1 + 1e-9


@settings(max_examples=10)
@given(SEEDS)
def test_every_distance_is_at_least_as_steep_as_the_next_larger_one(seed: int) -> None:
    found = list(profile(of_critic(perceptron(seed), normalised), drawn(seed), drawn(seed + 1)).values())
    assert all(near >= far * (1 - 1e-9) for far, near in pairwise(found))


@settings(max_examples=5)
@given(SEEDS)
def test_both_engines_find_the_same_secants_of_a_piecewise_linear_critic(seed: int) -> None:
    critic = perceptron(seed)
    sweeps, double = (of_critic(critic, normalised, engine) for engine in (ThreeSweeps(), DoubleBackward()))
    starts, ends = drawn(seed, 8), drawn(seed + 1, 8)
    assert profile(sweeps, starts, ends) == pytest.approx(profile(double, starts, ends), rel=1e-6)
    assert variation_gap(sweeps, starts, ends) == pytest.approx(variation_gap(double, starts, ends), rel=1e-6)


@given(SEEDS, st.sampled_from([0.0, 10.0, 1e4]))
def test_secants_between_points_in_float32_never_exceed_what_is_there(seed: int, offset: float) -> None:
    points = drawn(seed).float() * torch.logspace(-3, 0, 32)[:, None, None, None]
    first, twice = between(torch.stack([points[:, 0, 0, 0] + offset, 2 * points[:, 0, 0, 0]]), points)
    assert first <= 1
    assert twice <= 2
