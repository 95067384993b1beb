"""What a number of seeds says, and no more."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from lipbench.disk.store import Status
from lipbench.measures import COLUMNS, COUNTS, DECIDING, Column, View, in_view

MEASURES = {column.name: column for column in in_view(COLUMNS, View.SUMMARY)}
UNKNOWN = "–"
LEVEL = 0.95
ROUNDING = 1e-9  # of an interval: a mean that is smaller is nothing
MOST_DECIMALS = 15  # what is smaller is shown as nothing, and never with an exponent


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its 95 % t-interval; NaN where there are too few values.

    Its text shows two digits of whichever is smaller, the mean or half of the interval, and three of a mean alone.
    """

    n: int
    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        spread = f" ± {self._half:.{self._decimals}f}" if self.n > 1 else ""
        return f"{self.mean_text}{spread}"

    @property
    def mean_text(self) -> str:
        """The mean alone, rounded as it is with its interval: one number is the same in tables, figures and texts."""
        # Adding nothing to a rounded −0 makes it 0.
        return UNKNOWN if self.n == 0 else f"{round(self.mean, self._decimals) + 0.0:.{self._decimals}f}"

    @property
    def _half(self) -> float:
        return (self.high - self.low) / 2

    @property
    def _decimals(self) -> int:
        if not (self.n > 1 and self._half > 0):
            return _decimals(self.mean, 3)
        # Of equal numbers with both signs, rounding leaves a mean that is nothing.
        nothing = abs(self.mean) < ROUNDING * self._half
        return max(_decimals(self._half, 2), 0 if nothing else _decimals(self.mean, 2))


def t_interval(values: Iterable[float]) -> Interval:
    """The mean and its 95 % t-interval; missing values do not count.

    At five seeds this covers as often as it says, where a percentile bootstrap covers 84 % for 95 %.
    """
    known = np.asarray(list(values), dtype=float)
    known = known[np.isfinite(known)]
    n = len(known)
    if n == 0:
        return Interval(0, np.nan, np.nan, np.nan)
    mean = float(known.mean())
    if n == 1:
        return Interval(1, mean, np.nan, np.nan)
    half = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * known.std(ddof=1) / np.sqrt(n))
    return Interval(n, mean, mean - half, mean + half)


def summarise(runs: pd.DataFrame, measures: Iterable[Column] = tuple(MEASURES.values())) -> pd.DataFrame:
    """A row a method: how many runs ended how, and mean and interval of each measure over the finished ones.

    Args:
        runs: rows of one comparison.
        measures: columns of it.
    """
    names = [measure.name for measure in measures]
    rows = []
    for method, group in runs.groupby("method", sort=False):
        status = group["status"]
        row: dict[str, object] = {
            "method": method,
            "n": int((status == Status.DONE).sum()),
            "diverged": int((status == Status.DIVERGED).sum()),
            "unfinished": int((~status.isin([Status.DONE, Status.DIVERGED])).sum()),
        }
        done = group[status == Status.DONE]
        for name in names:
            interval = t_interval(done[name])
            row |= {f"{name}_mean": interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    by = {f"{measure.name}_mean": measure.less for measure in DECIDING}  # of which a comparison has one
    return pd.DataFrame(rows).sort_values(list(by), ascending=list(by.values()), ignore_index=True, na_position="last")


def for_people(summary: pd.DataFrame, measures: Iterable[Column] = tuple(MEASURES.values())) -> pd.DataFrame:
    """The summary as text: mean ± half of the 95 % interval.

    Args:
        summary: as of `summarise`.
        measures: those of it; one that a summary of an earlier version lacks is left out.
    """
    shown = summary[COUNTS].astype(str)
    for measure in (each for each in measures if f"{each.name}_mean" in summary):
        ends = [summary[f"{measure.name}_{end}"] * measure.scale for end in ("mean", "low", "high")]
        # Fewer values than runs can be known: without an interval there was one, without a mean none.
        shown[measure.title] = [
            str(Interval(0 if mean != mean else n if low == low else 1, mean, low, high))
            for mean, low, high, n in zip(*ends, summary["n"], strict=True)
        ]
    return shown


def known(shown: pd.DataFrame) -> pd.DataFrame:
    """The table for people without the measures of which nothing at all is known."""
    return shown.loc[:, (shown != UNKNOWN).any() | shown.columns.isin(COUNTS)]


def short(value: float) -> str:
    """A single number with three digits, and whole ones above; unknown if it is NaN."""
    if np.isnan(value):
        return UNKNOWN
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def _decimals(value: float, digits: int) -> int:
    """How many decimals show so many digits of `value`."""
    return int(np.clip(digits - 1 - np.floor(np.log10(abs(value))), 0, MOST_DECIMALS)) if value else 2
