"""Many runs on many data sets in one number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lipbench.reports.statistics.aggregate import improvement, improvement_range, iqm, iqm_range, profile

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40).map(np.array)


@given(NUMBERS)
def test_the_iqm_is_the_mean_of_the_middle_half(scores: np.ndarray) -> None:
    assert float(iqm(scores)) == pytest.approx(stats.trim_mean(scores, 0.25), rel=1e-9, abs=1e-9)


def test_diverged_runs_spoil_the_iqm_only_above_a_quarter() -> None:
    scores = np.array([-np.inf, 1.0, 2.0, 3.0])
    assert float(iqm(scores)) == 1.5
    assert float(iqm(np.array([-np.inf, -np.inf, 2.0, 3.0]))) == -np.inf


def test_a_profile_is_the_share_above_each_value() -> None:
    scores = np.array([-np.inf, 0.2, 0.5, 0.5])
    assert profile(scores, np.array([-1.0, 0.2, 0.49, 0.5])).tolist() == [0.75, 0.5, 0.5, 0.0]


@given(NUMBERS, NUMBERS)
def test_the_chance_to_be_better_is_that_of_mann_and_whitney(ours: np.ndarray, theirs: np.ndarray) -> None:
    u = stats.mannwhitneyu(ours, theirs, method="asymptotic").statistic if np.ptp([*ours, *theirs]) else 0.5
    expected = u / (len(ours) * len(theirs)) if np.ptp([*ours, *theirs]) else 0.5
    assert improvement([ours], [theirs]) == pytest.approx(expected)
    assert improvement([theirs], [ours]) == pytest.approx(1 - expected)


def test_the_chance_to_be_better_is_the_mean_over_data_sets_and_diverged_runs_tie() -> None:
    lost = np.array([-np.inf, -np.inf])
    assert improvement([lost, np.array([1.0, 2.0])], [lost, np.array([0.0])]) == 0.75


def test_intervals_of_the_iqm_cover_about_as_often_as_they_say() -> None:
    rng, levels = np.random.default_rng(0), np.linspace(0, 1, 5)
    truth = float(iqm((levels[:, None] + 0.3 * rng.standard_normal((5, 40_000))).ravel()))
    found = [iqm_range(list(levels[:, None] + 0.3 * rng.standard_normal((5, 5)))) for _ in range(400)]
    assert 0.88 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_of_one_seed_there_is_no_interval() -> None:
    one, two = [np.array([1.0]), np.array([1.0, 2.0])], [np.array([0.0, 1.0])] * 2
    assert np.isnan(iqm_range(one).low)
    assert iqm_range(one).value == pytest.approx(4 / 3)
    assert np.isnan(improvement_range(one, two).high)


def test_the_same_runs_have_the_same_intervals() -> None:
    scores = [np.arange(5.0), np.arange(3.0)]
    assert iqm_range(scores) == iqm_range(scores)
    assert iqm_range(scores).low < iqm_range(scores).value < iqm_range(scores).high


def test_an_interval_that_reaches_diverged_runs_says_so() -> None:
    found = iqm_range([np.array([-np.inf, 1.0, 2.0])])
    assert (found.low, found.value) == (-np.inf, -np.inf)
    assert found.high == 2.0
