"""Tests of differences, and the seeds that they need."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lipbench.reports.statistics.significance import holm, rank_sum, seeds_needed, signed_rank


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=25, unique_by=abs))
def test_the_signed_rank_test_is_the_exact_one_of_scipy(differences: list[int]) -> None:
    assume(0 not in differences)
    found, _ = signed_rank(np.array(differences, float))
    assert found == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)


@given(st.lists(st.sampled_from([-math.inf, -2.0, -1.0, 0.0, 1.0, 3.0, math.inf]), min_size=1, max_size=9))
def test_with_ties_it_enumerates_all_signs(differences: list[float]) -> None:
    unequal = np.array([value for value in differences if value], float)
    ranks = stats.rankdata(np.abs(unequal))
    signs = np.array(list(itertools.product([-1, 1], repeat=len(ranks))))
    observed = abs(np.sign(unequal) @ ranks)
    found, lead = signed_rank(np.array(differences, float))
    assert found == pytest.approx(np.mean(np.abs(signs @ ranks) >= observed))
    assert lead == np.sign(unequal) @ ranks


def test_without_differences_the_signed_rank_test_says_nothing() -> None:
    assert signed_rank(np.zeros(4)) == (1, 0)


NUMBERS = st.integers(-1000, 1000).map(float)


@given(st.lists(NUMBERS, min_size=2, max_size=20, unique=True), st.data())
def test_the_rank_sum_test_is_the_exact_one_of_scipy(values: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(values) - 1))
    ours, theirs = values[:n], values[n:]
    found, lead = rank_sum(np.array(ours), np.array(theirs))
    expected = stats.mannwhitneyu(ours, theirs, method="exact")
    assert found == pytest.approx(expected.pvalue)
    assert lead == expected.statistic - len(ours) * len(theirs) / 2


@given(st.lists(st.sampled_from([0.0, 1.0, 3.0, math.inf]), min_size=2, max_size=8), st.data())
def test_with_ties_it_enumerates_all_samples(values: list[float], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(values) - 1))
    found, _ = rank_sum(np.array(values[:n]), np.array(values[n:]))
    ranks = stats.rankdata(values)
    sums = np.array([sum(chosen) for chosen in itertools.combinations(ranks, n)])
    observed = ranks[:n].sum()
    assert found == pytest.approx(min(1, 2 * min(np.mean(sums <= observed), np.mean(sums >= observed))))


def test_holm_by_hand() -> None:
    # Sorted: .005 · 4, .01 · 3, .03 · 2, and .04 · 1 is raised to the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])
    assert holm([]) == []


def test_a_method_without_a_p_counts_among_those_compared() -> None:
    corrected = holm([math.nan, 0.01])
    assert math.isnan(corrected[0])
    assert corrected[1] == 0.02


@pytest.mark.parametrize(
    ("effect", "seeds"),
    # The first three stand in tables of power; the next is the least that any verdict needs.
    [(0.5, 34), (-0.8, 15), (1.0, 10), (1e9, 3), (0.0, None), (0.01, None)],
)
def test_seeds_needed_are_those_of_the_tables(effect: float, seeds: int | None) -> None:
    assert seeds_needed(effect, 0.05) == seeds


def test_the_seeds_needed_are_the_fewest_that_find_four_effects_of_five() -> None:
    needed = seeds_needed(1.5, 0.0125)
    assert needed is not None
    draws = np.random.default_rng(0).normal(1.5, 1, (20_000, needed))
    enough, fewer = (stats.ttest_1samp(some, 0, axis=1).pvalue < 0.0125 for some in (draws, draws[:, 1:]))
    assert np.mean(enough) > 0.8 > np.mean(fewer)
