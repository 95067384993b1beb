"""The exact Wasserstein-1 distance between two sets of points."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from lipbench.measuring.matching import wasserstein

NUMBERS = st.floats(-100, 100, width=32)


def points(numbers: Float[np.ndarray, "n d"]) -> Float[Tensor, "n d 1 1"]:
    return torch.from_numpy(numbers).float()[..., None, None]


def sets(dim: int) -> st.SearchStrategy[Float[np.ndarray, "2 n d"]]:
    return st.integers(1, 12).flatmap(lambda count: arrays(np.float64, (2, count, dim), elements=NUMBERS))


@given(sets(2))
def test_it_is_the_mean_length_of_the_best_assignment(both: Float[np.ndarray, "2 n 2"]) -> None:
    lengths = cdist(*both)
    expected = float(lengths[linear_sum_assignment(lengths)].mean())
    assert wasserstein(*map(points, both)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(sets(1))
def test_on_a_line_it_is_that_of_the_sorted_points(both: Float[np.ndarray, "2 n 1"]) -> None:
    one, other = np.sort(both[:, :, 0], axis=1)
    expected = float(np.abs(one - other).mean())
    assert wasserstein(*map(points, both)) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    flat = [torch.cat([each, torch.zeros_like(each)], dim=1) for each in map(points, both)]
    assert wasserstein(*flat) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(sets(2))
def test_it_is_symmetric_and_0_from_a_set_to_itself_in_another_order(both: Float[np.ndarray, "2 n 2"]) -> None:
    one, other = map(points, both)
    assert wasserstein(one, other) == pytest.approx(wasserstein(other, one), rel=1e-9, abs=1e-9)
    assert wasserstein(one, one.flip(0)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("dim", [1, 2])
def test_of_a_shifted_sample_it_is_the_length_of_the_shift(dim: int) -> None:
    some = torch.randn(300, dim, 1, 1, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([0.3, -0.4])[:dim]
    assert wasserstein(some, some + shift[:, None, None]) == pytest.approx(float(shift.norm()), rel=1e-5)


@pytest.mark.parametrize("dim", [1, 2])
def test_from_one_point_it_is_the_mean_distance(dim: int) -> None:
    some = torch.randn(50, dim, 1, 1, generator=torch.Generator().manual_seed(0))
    expected = float(some.flatten(1).double().norm(dim=1).mean())
    assert wasserstein(some, torch.zeros_like(some)) == pytest.approx(expected, rel=1e-12)


def test_in_three_dimensions_there_is_none() -> None:
    assert wasserstein(torch.zeros(4, 3, 1, 1), torch.ones(4, 3, 1, 1)) is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_that_are_not_finite_are_refused(dim: int, value: float) -> None:
    good, bad = torch.zeros(4, dim, 1, 1), torch.zeros(4, dim, 1, 1)
    bad[2, 0] = value
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="must be finite, and as many"):
            wasserstein(*pair)


def test_other_numbers_of_points_are_refused() -> None:
    with pytest.raises(ValueError, match=r"points \(4, 2\) and \(5, 2\) must be finite, and as many"):
        wasserstein(torch.zeros(4, 2, 1, 1), torch.zeros(5, 2, 1, 1))
