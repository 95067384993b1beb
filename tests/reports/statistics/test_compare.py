"""Methods beside a baseline, paired by seed unless their runs say otherwise."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lipbench.errors import RequestError
from lipbench.measures import COLUMNS
from lipbench.reports.reading.columns import dtypes
from lipbench.reports.statistics.compare import BETTER, WORSE, Compared, compare
from lipbench.reports.statistics.differences import NO_PAIRS, SIGN_TEST, T_TEST
from lipbench.reports.statistics.significance import holm, seeds_needed

DIVERGED, FAILED = math.inf, math.nan  # stand for runs without a value
VALUES = st.integers(-50, 50).map(lambda tenths: tenths / 10)


def runs(**outcomes: list[float]) -> pd.DataFrame:
    """A run of each method and seed, from seed 0 on."""
    rows = [
        {
            "method": method,
            "seed": seed,
            "pairing": "lipbench",
            "status": {DIVERGED: "diverged"}.get(outcome, "done" if outcome == outcome else "failed"),
            "fid": outcome if math.isfinite(outcome) else math.nan,
        }
        for method, values in outcomes.items()
        for seed, outcome in enumerate(values)
    ]
    return pd.DataFrame(rows).astype(dtypes(column for column in COLUMNS if column.name in rows[0]))


def one(ours: list[float], theirs: list[float], **options: bool) -> Compared:
    (found,) = compare(runs(gn=ours, wc=theirs), "wc", **options)
    return found


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=12))
def test_where_all_finished_it_is_the_paired_t_test_of_scipy(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = map(list, zip(*pairs, strict=True))
    assume(np.ptp(np.subtract(ours, theirs)) > 1e-6)
    found, expected = one(ours, theirs), stats.ttest_rel(ours, theirs)
    ends = expected.confidence_interval(0.95)
    assert found.rule == T_TEST
    assert (found.p, found.low, found.high) == pytest.approx((expected.pvalue, ends.low, ends.high))
    assert found.difference == pytest.approx(np.mean(ours) - np.mean(theirs))


def test_a_t_test_by_hand() -> None:
    # Differences −1, −2, −3: t = −2 / (1 / √3) = −3.464 with 2 degrees of freedom.
    found = one([9, 8, 7], [10, 10, 10])
    assert (found.n, found.difference, found.p) == (3, -2, pytest.approx(0.0742, abs=1e-4))
    assert found.high - found.difference == pytest.approx(4.3027 / math.sqrt(3), abs=1e-4)


def test_a_verdict_needs_a_small_corrected_p() -> None:
    base = [10.0, 11.0, 12.0, 13.0]
    good, poor, equal = [5.1, 6.0, 7.0, 7.9], [15.1, 16.0, 17.0, 17.9], [10.1, 10.9, 12.2, 12.9]
    found = compare(runs(wc=base, sn=poor, gn=good, gp=equal), "wc")
    assert [(each.method, each.baseline) for each in found] == [("gn", "wc"), ("gp", "wc"), ("sn", "wc")]
    assert [each.verdict for each in found] == [BETTER, "cannot tell with 4 seeds", WORSE]
    assert [each.p_holm for each in found] == holm([each.p for each in found])
    assert [each.sentence for each in found][::2] == [BETTER, WORSE]


def test_where_it_cannot_tell_it_says_how_many_seeds_would() -> None:
    found = one([10.0, 11.0, 12.0], [9.6, 9.2, 11.2])
    assert found.needed == seeds_needed(1.0 / np.std([0.4, 1.8, 0.8], ddof=1), 0.05)
    assert found.sentence == f"cannot tell with 3 seeds (about {found.needed} would be needed)"
    first, _ = compare(runs(gn=[10.0, 11.0, 12.0], sn=[9.0, 9.0, 9.5], wc=[9.6, 9.2, 11.2]), "wc")
    assert (first.needed or 0) > (found.needed or 0)  # two methods are compared


def test_two_seeds_are_too_few_however_far_apart() -> None:
    found = one([1.0, 2.0], [1000.0, 1000.999])
    assert found.p_holm < 0.001
    assert found.sentence == "cannot tell with 2 seeds (about 3 would be needed)"


def test_one_seed_or_none_says_nothing() -> None:
    single = one([1.0], [2.0])
    assert (single.n, single.difference, single.sentence, single.rule) == (1, -1, "cannot tell with 1 seed", NO_PAIRS)
    none = one([FAILED, 1.0], [2.0, FAILED])
    assert (none.n, none.sentence) == (0, "cannot tell with 0 seeds")
    for unknown in (single.low, single.high, single.p, single.p_holm, none.difference, none.low, none.p):
        assert math.isnan(unknown)
    assert one([DIVERGED], [2.0]).sentence == "cannot tell with 1 seed"


@pytest.mark.parametrize(("n", "p"), [(3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_equal_differences_are_counted_and_not_averaged(n: int, p: float) -> None:
    theirs = [0.1 * 3**seed for seed in range(n)]
    found = one([value - 0.2 for value in theirs], theirs)  # equal but for rounding
    assert (found.rule, found.p, found.needed) == (SIGN_TEST, p, None)
    assert found.verdict == (BETTER if p < 0.05 else f"cannot tell with {n} seeds")
    assert found.difference == pytest.approx(-0.2)


def test_equal_values_are_no_difference() -> None:
    found = one([0.1 + 0.2] * 9, [0.3] * 9)
    assert (found.p, found.sentence) == (1, "cannot tell with 9 seeds")
    assert one([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).sentence == "cannot tell with 3 seeds"


def test_a_diverged_run_prevents_the_t_test() -> None:
    theirs = [10.0, 11.0, 12.0, 13.0, 14.0]
    assert one([5.1, 6.0, 7.0, 7.9, 9.0], theirs).verdict == BETTER
    found = one([5.1, 6.0, DIVERGED, 7.9, 9.0], theirs)
    assert found.rule.endswith("signed-rank test, as runs diverged; mean and interval of finished pairs only (4 of 5)")
    assert (found.n, found.diverged, found.baseline_diverged) == (5, 1, 0)
    assert found.difference == pytest.approx(-5)
    assert found.low < -5 < found.high
    # Four negative ranks of 10, one positive of 5: of 32 signs, 10 have as small a sum.
    assert found.p == 2 * 10 / 32
    assert found.sentence == "cannot tell with 5 seeds (about 3 would be needed if none diverged)"


def test_runs_that_both_diverged_are_a_tie() -> None:
    found = one([DIVERGED, 1.0, 2.0, 3.5], [DIVERGED, 2.0, 4.0, 7.0])
    assert (found.n, found.diverged, found.baseline_diverged) == (4, 1, 1)
    assert found.p == 0.25  # that of the three others


def test_a_baseline_that_always_diverges_is_beaten_by_six_seeds() -> None:
    found = one([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [DIVERGED] * 6)
    assert (found.p, found.verdict, found.baseline_diverged) == (2 / 64, BETTER, 6)
    assert math.isnan(found.difference)
    assert one([DIVERGED] * 6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).verdict == WORSE


def test_a_method_that_diverged_where_the_baseline_finished_is_not_better() -> None:
    found = one([DIVERGED, *map(float, range(19))], [float(seed + 100) for seed in range(20)])
    assert found.p_holm < 0.001
    assert found.verdict == "cannot tell with 20 seeds"


OUTCOMES = st.one_of(VALUES, st.just(DIVERGED), st.just(FAILED), st.just(-1000.0))
FEW_SEEDS = st.lists(st.tuples(OUTCOMES, OUTCOMES, OUTCOMES), min_size=3, max_size=8)
# Always better than the baseline, now and then by so much that a t-test cannot tell: so many can lack one.
LEADING = st.one_of(st.integers(-60, -30).map(float), st.just(-1000.0))
MANY_SEEDS = st.lists(st.tuples(LEADING, VALUES, VALUES), min_size=14, max_size=18)


@given(st.one_of(FEW_SEEDS, MANY_SEEDS), st.data())
def test_to_diverge_never_makes_a_method_better(seeds: list[tuple[float, float, float]], data: st.DataObject) -> None:
    ours, others, theirs = map(list, zip(*seeds, strict=True))
    finished = [seed for seed, outcome in enumerate(ours) if math.isfinite(outcome)]
    assume(finished)
    worse = list(ours)
    worse[data.draw(st.sampled_from(finished))] = DIVERGED
    before, _ = compare(runs(gn=ours, sn=others, wc=theirs), "wc")
    after, _ = compare(runs(gn=worse, sn=others, wc=theirs), "wc")
    assert after.verdict != BETTER or before.verdict == BETTER
    assert (after.n, after.diverged) >= (before.n, before.diverged)


@given(st.lists(st.tuples(OUTCOMES, OUTCOMES, OUTCOMES), min_size=1, max_size=6), st.randoms())
def test_the_order_of_rows_never_matters(seeds: list[tuple[float, float, float]], random: object) -> None:
    ours, others, theirs = map(list, zip(*seeds, strict=True))
    table = runs(gn=ours, sn=others, wc=theirs)
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert repr(compare(table.iloc[order], "wc")) == repr(compare(table, "wc"))


def test_seeds_that_one_of_them_lacks_make_no_pair() -> None:
    found = one([1.0, FAILED, 3.0, 4.0, 5.0], [2.0, 3.0, 4.5, FAILED])
    assert (found.n, found.diverged, found.baseline_diverged) == (2, 0, 0)
    assert found.difference == -1.25
    table = runs(gn=[1.0, 2.0], wc=[1.0, 2.0])
    table.loc[0, "status"] = "running"
    table.loc[1, "fid"] = math.nan  # done, but not measured
    assert compare(table, "wc")[0].n == 0


def test_a_seed_that_was_run_twice_counts_once_by_its_worse_outcome() -> None:
    table = runs(gn=[1.0, 2.0, 4.0], wc=[2.0, 4.0, 5.0])
    again = table.iloc[[0]].assign(fid=1.5)
    for both in (pd.concat([table, again]), pd.concat([again, table])):
        (found,) = compare(both, "wc")
        assert (found.n, found.difference) == (3, pytest.approx(-3.5 / 3))


def test_where_higher_is_better_verdicts_turn_round_and_differences_do_not() -> None:
    ours, theirs = [9.0, 8.1, 7.0, 6.1, DIVERGED], [1.0, 0.2, -1.0, -2.0, -3.0]
    finished = one(ours[:4], theirs[:4], lower_is_better=False)
    assert (finished.verdict, finished.difference) == (BETTER, pytest.approx(8.0))
    assert finished == dataclasses.replace(one(ours[:4], theirs[:4]), verdict=BETTER)
    negated = one([DIVERGED if x == DIVERGED else -x for x in ours], [-x for x in theirs])
    mirrored = one(ours, theirs, lower_is_better=False)
    assert (mirrored.p, mirrored.difference) == (negated.p, -negated.difference)


def test_an_unknown_baseline_is_named_with_the_methods_there_are() -> None:
    with pytest.raises(RequestError, match=r"unknown baseline 'wq'; expected one of: gn, wc\. .*'wc'.* one of the"):
        compare(runs(gn=[1.0], wc=[2.0]), "wq")
    assert compare(runs(wc=[1.0]), "wc") == []


METHODS = ["gn", "gp", "sn", "wc", "zero"]


def verdicts(means: list[float], count: int) -> list[list[str]]:
    """Of `count` comparisons at five seeds with the last method, whose values are independent and have sd 1."""
    table = runs(**{method: [0.0] * 5 for method in METHODS})
    draws = np.random.default_rng(0).normal(np.array(means)[:, None], 1, (count, 5, 5))
    return [[each.verdict for each in compare(table.assign(fid=draw.ravel()), "zero")] for draw in draws]


def test_where_all_are_alike_at_most_one_comparison_in_twenty_says_otherwise() -> None:
    found = verdicts([0] * 5, 2000)
    assert np.mean([BETTER in each for each in found]) <= 0.06
    assert np.mean([BETTER in each or WORSE in each for each in found]) <= 0.06


def test_a_difference_of_three_standard_deviations_is_mostly_found_by_five_seeds() -> None:
    assert np.mean([each[0] == BETTER for each in verdicts([-3, 0, 0, 0, 0], 500)]) > 0.5
