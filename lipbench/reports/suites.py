"""Which runs may be judged over several data sets, and why not all of them.

Only runs of one protocol are: a protocol alone moves an FID by more than methods differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lipbench.disk.store import Status
from lipbench.measures import Deciding
from lipbench.reports.reading.added import SHARED
from lipbench.reports.reading.columns import deciding

NAMED = 4  # settings that differ, before it says how many more


@dataclass(frozen=True)
class Suite:
    """Methods with an outcome on every data set of one protocol.

    Attributes:
        name: of the protocol.
        comparison: its id.
        measure: that decides.
        datasets: by name.
        outcomes: of each method, by name, the outcomes of its seeds on each data set; higher is better (an FID is
            negative), −∞ for a diverged run.
        scores: the same in units that data sets share; None where they cannot be made.
        no_scores: why they cannot, or nothing.
        left_out: what does not count, in sentences.
    """

    name: str
    comparison: str
    measure: Deciding
    datasets: list[str]
    outcomes: dict[str, list[Float[np.ndarray, " _"]]]
    scores: dict[str, list[Float[np.ndarray, " _"]]] | None
    no_scores: str
    left_out: list[str]

    @property
    def losses(self) -> Float[np.ndarray, "m k"]:
        """The median over seeds, a row a data set and a column a method: lower is better."""
        return np.array([[np.median(-values) for values in outcomes] for outcomes in self.outcomes.values()]).T


NO_SCALE = (
    "No score can be made of the {title} of {data}: it needs values above 0, one of real samples above 0 ({real}) and "
    "a larger one of noise ({noise}), as those of different data sets have no common unit. Ranks need none."
)
UNEVEN = (
    "No scores are pooled, as methods have different numbers of seeds on different data sets: a method with more seeds "
    "on an easy one would look better. Ranks are not affected."
)


def suites(runs: pd.DataFrame) -> list[Suite]:
    """Every protocol under which at least two methods have outcomes on at least two data sets."""
    found = [_suite(group) for _, group in runs.groupby("comparison", sort=True)]
    return [suite for suite in found if suite is not None]


def refusal(runs: pd.DataFrame, protocols: dict[str, dict[str, Any]]) -> str | None:
    """Why there is no one ranking over everything; None where all runs share a protocol.

    Args:
        runs: the table of runs.
        protocols: the settings of each comparison by dotted key, where they are known.
    """
    groups = {str(name): group for name, group in runs.groupby("comparison", sort=True)}
    if len(groups) < 2:
        return None
    known = {name: _shared(group) | protocols.get(name, {}) for name, group in groups.items()}
    keys = sorted(set.intersection(*(set(settings) for settings in known.values())))
    different = [key for key in keys if len({str(settings[key]) for settings in known.values()}) > 1]
    told = [f"{key} ({' / '.join(str(settings[key]) for settings in known.values())})" for key in different[:NAMED]]
    told += [f"{len(different) - NAMED} more"] if len(different) > NAMED else []
    names = ", ".join(f"{group['protocol'].iloc[0]} ({name})" for name, group in groups.items())
    return (
        f"There is no one ranking over these {len(groups)} protocols, {names}: they differ in "
        f"{', '.join(told) or 'settings that are not known'}, and numbers of different protocols do not compare."
    )


def _shared(group: pd.DataFrame) -> dict[str, Any]:
    values = {name: group[name].dropna().unique() for name in SHARED if name != "protocol"}
    return {name: found[0] for name, found in values.items() if len(found) == 1}


def _suite(group: pd.DataFrame) -> Suite | None:
    measure = deciding(group)
    if measure is None or group["comparison_id"].nunique() < 2:
        return None
    column, title = measure.name, measure.title
    names = dict(zip(group["comparison_id"].astype(str), group["dataset"].astype(str), strict=True))
    values = group[column].astype(float) * (-1 if measure.less else 1)
    diverged = group["status"] == Status.DIVERGED
    values[diverged] = -np.inf
    having = group.groupby("comparison_id")[column].transform(lambda values: values.notna().any())
    # Which of its parts stands for a data set, nobody could say.
    counts = having & (group["part"] == "") & (diverged | ((group["status"] == Status.DONE) & values.notna()))
    table = {
        (str(method), str(data)): rows["outcome"].to_numpy(float)
        for (method, data), rows in group.assign(outcome=values)[counts].groupby(["method", "comparison_id"])
    }
    methods = sorted({method for method, _ in table})
    ids = [data for data in sorted(names) if sum((method, data) in table for method in methods) > 1]
    whole = [method for method in methods if all((method, data) in table for data in ids)]
    if len(ids) < 2 or len(whole) < 2:
        return None
    parted = dict.fromkeys(group.loc[group["part"] != "", "dataset"].astype(str))
    left_out = [f"{data} is left out: its runs were not made from one thing." for data in parted]
    left_out += [
        f"{names[data]} is left out: fewer than two methods have an {title} there."
        for data in sorted(names)
        if data not in ids and names[data] not in parted
    ]
    left_out += [
        f"{method} is left out: it has no outcome on "
        f"{', '.join(names[data] for data in ids if (method, data) not in table)}."
        for method in methods
        if method not in whole
    ]
    without = int((~counts & group["comparison_id"].isin(ids)).sum())
    left_out += [f"{without} runs that are not finished, or have no {title}, do not count."] if without else []
    outcomes = {method: [table[method, data] for data in ids] for method in whole}
    scores, no_scores = _scores(measure, outcomes, group, ids)
    return Suite(
        name=str(group["protocol"].iloc[0]),
        comparison=str(group["comparison"].iloc[0]),
        measure=measure,
        datasets=[names[data] for data in ids],
        outcomes=outcomes,
        scores=scores,
        no_scores=no_scores,
        left_out=left_out,
    )


def _scores(
    measure: Deciding, outcomes: dict[str, list[Float[np.ndarray, " _"]]], group: pd.DataFrame, ids: list[str]
) -> tuple[dict[str, list[Float[np.ndarray, " _"]]] | None, str]:
    """The scores of each method on each data set, or why there are none."""
    if any(len({len(values) for values in of_method}) > 1 for of_method in outcomes.values()):
        return None, UNEVEN
    anchors = [_anchors(measure, group[group["comparison_id"] == data]) for data in ids]
    scores = {
        method: [_score(values, anchor) for values, anchor in zip(of_method, anchors, strict=True)]
        for method, of_method in outcomes.items()
    }
    unknown = [place for place in range(len(ids)) if any(np.isnan(scores[method][place]).any() for method in scores)]
    if not unknown:
        return scores, ""
    names = [str(group.loc[group["comparison_id"] == ids[place], "dataset"].iloc[0]) for place in unknown]
    real, noise = measure.anchors
    return None, NO_SCALE.format(title=measure.title, data=", ".join(names), real=real, noise=noise)


def _score(outcomes: Float[np.ndarray, " n"], anchors: tuple[float, float] | None) -> Float[np.ndarray, " n"]:
    """The outcomes in units that data sets share; NaN where they cannot be made."""
    if anchors is None:
        return outcomes
    real, noise = anchors
    if not 0 < real < noise or (outcomes >= 0).any():
        return np.full(len(outcomes), np.nan)
    return np.asarray((np.log(noise) - np.log(-outcomes)) / np.log(noise / real))  # of a diverged run −∞


def _anchors(measure: Deciding, rows: pd.DataFrame) -> tuple[float, float] | None:
    """What real pictures and noise have on one data set, NaN where it is unknown; None where a score needs neither."""
    if not measure.real:
        return None
    real, noise = (rows[name].dropna() for name in measure.anchors)
    return (float(real.iloc[0]), float(noise.iloc[0])) if len(real) and len(noise) else (np.nan, np.nan)
