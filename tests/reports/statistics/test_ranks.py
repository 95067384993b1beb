"""Ranks over data sets."""

import numpy as np
import pytest
from scipy import stats

from lipbench.reports.statistics.ranks import critical_difference, rank, ranking

METHODS = ["a", "b", "c", "d", "e"]


def test_the_critical_difference_is_that_of_the_paper() -> None:
    # Demšar 2006 finds 1.25 for his 4 classifiers on 14 data sets.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_the_best_has_rank_1_and_equals_share() -> None:
    losses = np.array([[3.0, 1.0, np.inf, np.inf], [1.0, 1.0, 1.0, 9.0]])
    assert rank(losses).tolist() == [[2, 1, 3.5, 3.5], [2, 2, 2, 4]]


def test_the_test_of_equal_ranks_is_that_of_friedman() -> None:
    losses = np.random.default_rng(0).normal(size=(7, 5))
    found = ranking(METHODS, losses)
    assert found is not None
    assert found.p == pytest.approx(stats.friedmanchisquare(*losses.T).pvalue)


def test_methods_that_are_far_apart_share_no_group() -> None:
    losses = np.arange(5.0) + np.zeros((12, 1))
    found = ranking(METHODS, losses)
    assert found is not None
    assert list(found.means.values()) == [1, 2, 3, 4, 5]
    assert found.difference == pytest.approx(1.76, abs=0.01)
    assert found.groups == [["a", "b"], ["b", "c"], ["c", "d"], ["d", "e"]]


def test_where_nothing_differs_all_are_one_group() -> None:
    found = ranking(METHODS, np.ones((6, 5)))
    assert found is not None
    assert (found.p, found.groups) == (1.0, [METHODS])


@pytest.mark.parametrize("shape", [(4, 5), (9, 2)])
def test_too_few_data_sets_or_methods_are_not_tested(shape: tuple[int, int]) -> None:
    assert ranking(METHODS[: shape[1]], np.random.default_rng(0).normal(size=shape)) is None


@pytest.mark.slow
@pytest.mark.parametrize("datasets", [5, 10])
def test_of_equal_methods_hardly_ever_any_are_told_apart(datasets: int) -> None:
    rng = np.random.default_rng(0)
    found = [ranking(METHODS, rng.normal(size=(datasets, 5))) for _ in range(2000)]
    assert (
        np.mean([each is not None and each.groups != [sorted(METHODS, key=each.means.__getitem__)] for each in found])
        <= 0.05
    )
