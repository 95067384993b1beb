"""A critic against the truth."""

import math

import pytest
import torch
from torch import Tensor

from lipbench import Dataset, Pair
from lipbench.data._funnels import Funnels
from lipbench.data.gauss_shift import Shifted, ShiftedGaussians
from lipbench.data.shells import Shells
from lipbench.data.w1 import Benchmark
from lipbench.measuring.functions import of_formula
from lipbench.measuring.transport import against_truth

DATA: list[Dataset] = [Benchmark(), Benchmark(dim=16, funnels=16), ShiftedGaussians(dim=3), Shells()]
COUNT = 4096


def made(data: Dataset) -> Pair:
    pair = data.load()
    assert isinstance(pair, Pair)
    return pair


def best(pair: Pair, points: Tensor) -> Tensor:
    if isinstance(pair, Funnels):
        return -pair.potential(points.flatten(1).double()).float()
    if isinstance(pair, Shifted):
        return points.flatten(1).sum(1) / pair.dim**0.5
    return -points.flatten(1).norm(dim=1)


def compared(pair: Pair, factor: float) -> dict[str, float]:
    """The best critic, times a factor, against the truth."""
    real, fake = pair.sample(COUNT, torch.Generator().manual_seed(5))
    return against_truth(of_formula(lambda points: factor * best(pair, points)), pair, real, fake)


@pytest.mark.parametrize("data", DATA)
def test_the_true_critic_is_right_in_everything(data: Dataset) -> None:
    pair = made(data)
    found = compared(pair, 1)
    assert found["cos"] == pytest.approx(1, abs=1e-5)
    assert found["l2"] == pytest.approx(0, abs=1e-5)
    assert found["w1_estimate"] == pytest.approx(pair.w1, abs=0.1)
    assert found["w1_true"] == pair.w1


@pytest.mark.parametrize("data", DATA)
def test_its_mirror_image_is_wrong_in_everything(data: Dataset) -> None:
    pair = made(data)
    found = compared(pair, -1)
    assert found["cos"] == pytest.approx(-1, abs=1e-5)
    assert found["l2"] == pytest.approx(4, abs=1e-4)
    assert found["w1_estimate"] == pytest.approx(-pair.w1, abs=0.1)


@pytest.mark.parametrize("data", DATA)
def test_a_constant_has_no_direction_and_estimates_nothing(data: Dataset) -> None:
    found = compared(made(data), 0)
    assert (found["cos"], found["w1_estimate"]) == (0, 0)
    assert found["l2"] == pytest.approx(1, abs=1e-5)


def test_half_the_slope_has_the_right_direction_and_half_the_distance() -> None:
    pair = made(ShiftedGaussians(dim=2, shift=3.0))
    whole, half = (compared(pair, factor) for factor in (1, 0.5))
    assert half["cos"] == pytest.approx(1, abs=1e-5)
    assert half["l2"] == pytest.approx(0.25, abs=1e-5)
    assert half["w1_estimate"] == pytest.approx(whole["w1_estimate"] / 2, rel=1e-5)


def test_points_without_a_true_slope_are_left_out() -> None:
    pair = made(Shells())
    real, fake = pair.sample(8, torch.Generator().manual_seed(5))
    real[::2] = 0  # the origin
    right = of_formula(
        lambda points: torch.where(points[:, 0, 0, 0] == 0, 9 * points.flatten(1).sum(1), best(pair, points))
    )
    found = against_truth(right, pair, real, fake)
    assert found["cos"] == pytest.approx(1, abs=1e-5)
    assert found["l2"] == pytest.approx(0, abs=1e-5)


def test_with_no_true_slope_at_all_nothing_can_be_said_of_gradients() -> None:
    pair = made(Shells())
    real, fake = pair.sample(8, torch.Generator().manual_seed(5))
    found = against_truth(of_formula(lambda points: points.flatten(1).sum(1)), pair, 0 * real, fake)
    assert math.isnan(found["cos"])
    assert math.isnan(found["l2"])
    assert math.isfinite(found["w1_estimate"])
