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


@pytest.mark.parametrize("factor", [1, -1, 0, 0.5])
@pytest.mark.parametrize("data", DATA)
def test_the_true_critic_is_right_its_mirror_image_wrong_and_a_constant_neither(data: Dataset, factor: float) -> None:
    pair = made(data)
    found = compared(pair, factor)
    assert found["cos"] == pytest.approx(math.copysign(1, factor) if factor else 0, abs=1e-5)
    assert found["l2"] == pytest.approx((factor - 1) ** 2, abs=1e-4)
    assert found["w1_estimate"] == pytest.approx(factor * pair.w1, abs=0.1 * abs(factor))
    assert found["w1_true"] == pair.w1


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
