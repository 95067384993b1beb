"""What a number of seeds says."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from lipbench.reports.statistics.intervals import MEASURES, Interval, for_people, short, summarise, t_interval


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_the_interval_is_that_of_scipy(values: list[float]) -> None:
    found = t_interval(values)
    spread = stats.sem(values)
    if spread > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), spread)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9, abs=1e-6)


def test_a_known_interval_by_hand() -> None:
    # Mean 3, standard deviation √2.5, n = 5: half width 2.7764 · 0.70711.
    found = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.n, found.mean) == (5, 3)
    assert found.high - found.mean == pytest.approx(1.96326, abs=1e-4)


def test_it_covers_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(7, 2, (4000, 5))
    covered = [found.low <= 7 <= found.high for found in map(t_interval, draws)]
    assert 0.93 < np.mean(covered) < 0.97


def test_missing_values_do_not_count_and_one_value_has_no_interval() -> None:
    found = t_interval([2.0, math.nan, math.inf])
    assert (found.n, found.mean) == (1, 2)
    assert math.isnan(found.low)
    assert t_interval([]).n == 0


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(5, 12.345, 10.1, 14.59), "12.3 ± 2.2"),
        (Interval(5, 0.012345, 0.0115, 0.01319), "0.01235 ± 0.00085"),
        (Interval(5, 1234.0, 1000.0, 1468.0), "1234 ± 234"),
        (Interval(1, 3.14159, math.nan, math.nan), "3.14"),
        (Interval(3, 2.0, 2.0, 2.0), "2.00 ± 0.00"),
        (Interval(3, 3.41, -8.89, 15.71), "3.4 ± 12.3"),
        (Interval(3, 0.00012, 0.00009, 0.00015), "0.000120 ± 0.000030"),
        (Interval(3, 3e-9, 1e-9, 5e-9), "0.0000000030 ± 0.0000000020"),
        (Interval(3, 1740.0, 1240.0, 2240.0), "1740 ± 500"),
        (Interval(3, -0.04, -0.74, 0.66), "-0.040 ± 0.700"),
        (Interval(2, 1e-17, -0.5, 0.5), "0.00 ± 0.50"),
        (Interval(2, -1e-17, -0.5, 0.5), "0.00 ± 0.50"),
        (Interval(2, 0.0, 0.0, 0.0), "0.00 ± 0.00"),
        (Interval(1, 123456.7, math.nan, math.nan), "123457"),
        (Interval(0, math.nan, math.nan, math.nan), "–"),
    ],
)
def test_numbers_are_written_with_as_many_digits_as_the_interval_carries(interval: Interval, text: str) -> None:
    assert str(interval) == text


SIZES = st.floats(1e-6, 1e6)


@given(SIZES, st.sampled_from([-1.0, 1.0]), st.one_of(st.just(math.nan), SIZES))
def test_rounding_keeps_two_digits_of_the_mean_and_of_the_interval(size: float, sign: float, half: float) -> None:
    assume(not half > 1e8 * size)
    mean = sign * size
    interval = Interval(1 if math.isnan(half) else 3, mean, mean - half, mean + half)
    shown = str(interval).split(" ± ")
    assert shown[0] == interval.mean_text
    for text, value in zip(shown, [mean, half], strict=False):
        assert "e" not in text
        digits = text.lstrip("-0.").replace(".", "")
        assert len(digits) >= 2
        unit = 10.0 ** -len(text.partition(".")[2])
        assert abs(float(text) - value) <= unit / 2 * (1 + 1e-6) + 1e-9 * abs(mean)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.456, "3.46"),
        (9.5, "9.5"),
        (0.0, "0"),
        (0.0000123, "0.0000123"),
        (1234.5, "1,234"),
        (-2e6, "-2,000,000"),
        (math.nan, "–"),
    ],
)
def test_a_single_number_has_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert short(value) == text


def runs() -> pd.DataFrame:
    rows = [
        {"method": "a", "status": "done", "fid": 10.0},
        {"method": "a", "status": "done", "fid": 12.0},
        {"method": "a", "status": "diverged", "fid": math.nan},
        {"method": "a", "status": "failed", "fid": math.nan},
        {"method": "b", "status": "done", "fid": 5.0},
        {"method": "c", "status": "diverged", "fid": math.nan},
    ]
    others = [name for name in MEASURES if name != "fid"]
    return pd.DataFrame(rows).assign(**dict.fromkeys(others, 0.5))


def test_runs_that_diverged_or_did_not_finish_are_counted_and_never_averaged() -> None:
    summary = summarise(runs()).set_index("method")
    assert list(summary.index) == ["b", "a", "c"]
    assert summary.loc["a", ["n", "diverged", "unfinished"]].tolist() == [2, 1, 1]
    assert summary.loc["a", "fid_mean"] == 11
    assert summary.loc["c", ["n", "diverged"]].tolist() == [0, 1]


def test_the_table_for_people_says_what_is_unknown_and_scales_seconds() -> None:
    shown = for_people(summarise(runs())).set_index("method")
    assert shown.loc["c", "FID"] == "–"
    assert shown.loc["b", "FID"] == "5.00"
    assert shown.loc["b", "ms/step"] == "500"


def test_without_an_fid_the_best_cosine_comes_first() -> None:
    found = summarise(runs().assign(fid=math.nan, cos=[0.1, 0.2, math.nan, math.nan, 0.9, math.nan]))
    assert list(found["method"]) == ["b", "a", "c"]
