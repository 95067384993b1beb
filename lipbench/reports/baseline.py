"""Every method against a baseline, as a table for people."""

import math

import pandas as pd

from lipbench.reports.reading.columns import deciding
from lipbench.reports.statistics.compare import compare
from lipbench.reports.statistics.intervals import UNKNOWN, Interval

RULES = (
    "Mean difference ± half of its 95 % t-interval. Runs of lipbench are paired by seed, and so are runs from "
    "elsewhere whose table says so; all others are compared without pairs: the last column names the test. p is "
    "two-sided and corrected by Holm for the number of methods. There is no verdict of fewer than three seeds, nor "
    "where p is .05 or more. A diverged run is dropped from no comparison: it ranks below every finished one. The "
    "seeds that would be needed are for a power of 80 %, if mean and spread stayed."
)


def against(runs: pd.DataFrame, baseline: str) -> pd.DataFrame | None:
    """A row a method of one comparison beside the baseline; None without it, or where nothing that decides is known."""
    measure = deciding(runs)
    if measure is None or baseline not in set(runs["method"]) or runs["method"].nunique() < 2:
        return None
    rows = []
    for found in compare(runs, baseline, measure.name, lower_is_better=measure.less):
        values = 0 if math.isnan(found.difference) else 1 if math.isnan(found.low) else 2
        interval = Interval(values, found.difference, found.low, found.high)
        rows.append(
            {
                "method": found.method,
                f"{measure.title} − {baseline}'s": str(interval),
                "seeds": str(found.n) if found.paired else f"{found.n} / {found.baseline_n}",
                "diverged": f"{found.diverged} / {found.baseline_diverged}",
                "p (Holm)": UNKNOWN if math.isnan(found.p_holm) else f"{found.p_holm:.2g}",
                "verdict": found.sentence,
                "test": found.rule,
            }
        )
    return pd.DataFrame(rows)
