"""What a trajectory of a Dirac-GAN does at its end, of trajectories in closed form."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.measures._dynamics import END, dynamics

STEPS = 200


def spiral(growth: float, *, steps: int = STEPS, turn: float = 0.2, phase: float = 0.3) -> str | None:
    """The verdict on a circle whose radius grows so many times over a trajectory."""
    radii = [growth ** (step / steps) for step in range(steps)]
    theta = [radius * math.cos(turn * step + phase) for step, radius in enumerate(radii)]
    return dynamics(theta, [radius * math.sin(turn * step + phase) for step, radius in enumerate(radii)])


def of(theta: Callable[[int], float], psi: Callable[[int], float] = lambda step: 1.0) -> str | None:
    return dynamics(*([each(step) for step in range(STEPS)] for each in (theta, psi)))


@given(phase=st.floats(0, 6.3), turn=st.floats(0.15, 1.0), size=st.floats(1e-3, 1e3))
def test_a_circle_cycles(phase: float, turn: float, size: float) -> None:
    assert spiral(1, phase=phase, turn=turn) == "cycles"
    assert (
        of(lambda step: size * math.cos(turn * step + phase), lambda step: size * math.sin(turn * step + phase))
        == "cycles"
    )


@pytest.mark.parametrize(
    ("growth", "verdict"),
    [(1e-6, "converges"), (1e-3, "converges"), (0.5, "cycles"), (2, "diverges"), (1e6, "diverges")],
)
def test_a_spiral_converges_inward_and_diverges_outward(growth: float, verdict: str) -> None:
    assert spiral(growth) == verdict


def test_a_generator_that_has_come_to_the_data_without_turning_converges() -> None:
    assert of(lambda step: 2 * math.exp(-step / 20), lambda step: math.exp(-step / 50)) == "converges"
    assert of(lambda step: 0.0) == "converges"


@pytest.mark.parametrize("place", [0.5, -3.0])
def test_a_generator_that_stands_still_elsewhere_is_stuck(place: float) -> None:
    assert of(lambda step: place) == "stuck"
    assert of(lambda step: place + math.exp(-step / 10), lambda step: math.exp(-step / 10)) == "stuck"


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slow_drift_away_diverges(sign: int) -> None:
    assert of(lambda step: sign * (1 + step) ** (1 / 3)) == "diverges"


@pytest.mark.parametrize("spoilt", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_numbers_that_are_not_finite_diverge(spoilt: float, which: int) -> None:
    both = [[1.0] * STEPS, [1.0] * STEPS]
    both[which][STEPS // 2] = spoilt
    assert dynamics(*both) == "diverges"


@pytest.mark.parametrize("count", range(2 * END + 2))
def test_of_too_few_evaluations_nothing_is_said(count: int) -> None:
    assert dynamics([0.0] * count, [1.0] * count) == (None if count < 2 * END else "converges")
