"""Methods beside a baseline whose seeds have nothing in common."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lipbench.reports.statistics.compare import BETTER, Compared, compare
from lipbench.reports.statistics.differences import CONSTANT, NO_SAMPLES, WELCH
from tests.reports.statistics.test_compare import DIVERGED, runs

VALUES = st.lists(st.integers(-50, 50).map(lambda tenths: tenths / 10), min_size=2, max_size=8)


def one(ours: list[float], theirs: list[float], pairing: object = None) -> Compared:
    (found,) = compare(runs(mine=ours, wc=theirs).assign(pairing=pairing), "wc")
    return found


@given(VALUES, VALUES)
def test_where_all_finished_it_is_the_t_test_of_welch(ours: list[float], theirs: list[float]) -> None:
    assume(min(np.ptp(ours), np.ptp(theirs)) > 1e-6)  # of equal values scipy warns
    found, expected = one(ours, theirs), stats.ttest_ind(ours, theirs, equal_var=False)
    ends = expected.confidence_interval(0.95)
    assert (found.rule, found.paired, found.n, found.baseline_n) == (WELCH, False, len(ours), len(theirs))
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, ends.low, ends.high))
    assert found.difference == pytest.approx(np.mean(ours) - np.mean(theirs))


@given(VALUES, VALUES, st.randoms())
def test_which_seed_had_which_outcome_does_not_matter(ours: list[float], theirs: list[float], random: object) -> None:
    mixed = list(ours)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert repr(one(mixed, theirs)) == repr(one(ours, theirs))


def test_equal_seeds_of_other_code_do_not_sharpen_a_difference() -> None:
    theirs = [10.0, 12.0, 14.0, 16.0, 18.0]
    ours = [value - 1 + 0.1 * (seed % 2) for seed, value in enumerate(theirs)]
    assert one(ours, theirs, "theirs").verdict == BETTER
    assert one(ours, theirs).p > 0.5


@pytest.mark.parametrize(
    ("pairings", "paired"),
    [(["a", "a"], True), (["a", "b"], False), (["a", None], False), ([None, None], False)],
)
def test_methods_are_paired_where_all_their_runs_have_one_pairing(pairings: list[str | None], paired: bool) -> None:
    table = runs(mine=[1.0, 2.0], wc=[2.0, 3.5])
    table["pairing"] = [pairing for pairing in pairings for _ in range(2)]
    (found,) = compare(table, "wc")
    assert found.paired is paired
    table.loc[0, "pairing"] = None
    assert not compare(table, "wc")[0].paired


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [([1.0, DIVERGED], [2.0, 3.0, 4.0]), ([1.0, 2.0, 3.0], [DIVERGED, 4.0]), ([1.0, 2.0], [DIVERGED] * 3)],
)
def test_a_diverged_run_ranks_last_and_the_exact_rank_sum_test_decides(ours: list[float], theirs: list[float]) -> None:
    found = one(ours, theirs)
    # No two of these are equal but diverged runs of one method, which change places freely.
    apart = [value if math.isfinite(value) else 1e6 + place for place, value in enumerate(theirs)]
    expected = stats.mannwhitneyu([min(value, 1e9) for value in ours], apart, method="exact")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.rule.startswith("exact rank-sum test, not paired, as runs diverged")


def test_who_diverges_is_not_better_than_who_does_not() -> None:
    found = one([DIVERGED, *map(float, range(19))], [float(seed + 100) for seed in range(20)])
    assert found.p_holm < 0.001
    assert found.verdict == "cannot tell with 20 seeds"


def test_runs_that_are_all_equal_are_counted() -> None:
    found = one([1.0] * 4, [2.0] * 4)
    assert (found.rule, found.p, found.needed) == (CONSTANT, pytest.approx(2 / 70), None)
    assert (found.difference, found.low, found.high) == (-1, -1, -1)
    assert one([0.1 + 0.2] * 4, [0.3] * 4).p == 1  # equal but for rounding


def test_of_too_few_runs_nothing_is_said() -> None:
    found = one([1.0], [2.0, 3.0])
    assert (found.rule, found.sentence, found.difference) == (NO_SAMPLES, "cannot tell with 1 seed", -1.5)
    assert math.isnan(found.p) and math.isnan(found.low)
    assert one([1.0, 2.0], [1000.0, 1001.0]).verdict == "cannot tell with 2 seeds"


def test_the_seeds_needed_find_four_differences_of_five() -> None:
    found = one([10.0, 11.0, 12.0], [10.2, 12.0, 13.8])
    assert found.needed is not None
    rng = np.random.default_rng(0)
    size = (4000, found.needed)
    p = stats.ttest_ind(rng.normal(11, 1, size), rng.normal(12, 1.8, size), axis=1, equal_var=False).pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.03)
    assert f"about {found.needed} would be needed" in found.sentence
