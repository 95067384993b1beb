"""Which runs may be judged over several data sets, and why not all of them.

Only runs of one protocol are: a protocol alone moves an FID by more than methods differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lipbench.reports.baseline import DECIDING
from lipbench.reports.reading.added import SHARED
from lipbench.store import Status

NAMED = 4  # settings that differ, before it says how many more
SMALLEST = 1e-9  # FID of which a logarithm is taken


@dataclass(frozen=True)
class Suite:
    """Methods with an outcome on every data set of one protocol.

    Attributes:
        name: of the protocol.
        comparison: its id.
        measure: the column that decides.
        title: its name for people.
        datasets: by name.
        outcomes: of each method, by name, the outcomes of its seeds on each data set; higher is better (an FID is
            negative), −∞ for a diverged run.
        scores: the same in units that data sets share, see `SCALE`; None where they cannot be made.
        left_out: methods that lack a data set, in sentences.
    """

    name: str
    comparison: str
    measure: str
    title: str
    datasets: list[str]
    outcomes: dict[str, list[Float[np.ndarray, " _"]]]
    scores: dict[str, list[Float[np.ndarray, " _"]]] | None
    left_out: list[str]

    @property
    def losses(self) -> Float[np.ndarray, "m k"]:
        """The median over seeds, a row a data set and a column a method: lower is better."""
        # Of an even number it is the worse of the two in the middle, between which ∞ knows no mean.
        medians = [
            [-float(np.sort(values)[(len(values) - 1) // 2]) for values in outcomes]
            for outcomes in self.outcomes.values()
        ]
        return np.array(medians).T


SCALE = {
    "fid": "Score: ln(FID of noise / FID) / ln(FID of noise / FID of real pictures): 0 as noise, 1 as real pictures.",
    "cos": "Score: the cosine itself.",
}
NO_SCALE = (
    "No score can be made of FIDs whose data sets lack the FID of real pictures and of noise (columns fid_real and "
    "fid_noise): FIDs of different data sets have no common unit. Ranks need none."
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
    # The first of which anything is known.
    measured = [deciding for deciding in DECIDING if group[deciding[0]].notna().any()]
    if not measured or group["comparison_id"].nunique() < 2:
        return None
    column, title, less = measured[0]
    values = group[column].astype(float) * (-1 if less else 1)
    diverged = group["status"] == Status.DIVERGED
    values[diverged] = -np.inf
    known = group.assign(outcome=values)[diverged | ((group["status"] == Status.DONE) & values.notna())]
    table = {
        (str(method), str(data)): rows["outcome"].to_numpy(float)
        for (method, data), rows in known.groupby(["method", "comparison_id"])
    }
    methods = sorted({method for method, _ in table})
    ids = [data for data in sorted({data for _, data in table}) if sum((m, data) in table for m in methods) > 1]
    whole = [method for method in methods if all((method, data) in table for data in ids)]
    if len(ids) < 2 or len(whole) < 2:
        return None
    names = dict(zip(known["comparison_id"].astype(str), known["dataset"].astype(str), strict=True))
    outcomes = {method: [table[method, data] for data in ids] for method in whole}
    anchors = {str(data): _anchors(rows) for data, rows in group.groupby("comparison_id")}
    scores = {
        method: [_score(column, values, anchors[data]) for values, data in zip(of_method, ids, strict=True)]
        for method, of_method in outcomes.items()
    }
    unknown = any(np.isnan(values).any() for of_method in scores.values() for values in of_method)
    return Suite(
        name=str(group["protocol"].iloc[0]),
        comparison=str(group["comparison"].iloc[0]),
        measure=column,
        title=title,
        datasets=[names[data] for data in ids],
        outcomes=outcomes,
        scores=None if unknown else scores,
        left_out=[
            f"{method} is left out: it has no outcome on "
            f"{', '.join(names[data] for data in ids if (method, data) not in table)}."
            for method in methods
            if method not in whole
        ],
    )


def _score(column: str, outcomes: Float[np.ndarray, " n"], anchors: tuple[float, float]) -> Float[np.ndarray, " n"]:
    """The outcomes in units that data sets share; NaN where they cannot be made."""
    if column != "fid":
        return outcomes
    real, noise = anchors
    if not 0 < real < noise:
        return np.full(len(outcomes), np.nan)
    logarithm = np.log(np.maximum(-outcomes, SMALLEST))  # of ∞ it is ∞
    return np.asarray((np.log(noise) - logarithm) / np.log(noise / real))


def _anchors(rows: pd.DataFrame) -> tuple[float, float]:
    """The FID of real pictures and of noise on one data set, NaN where they are unknown."""
    real, noise = (rows[name].dropna() for name in ("fid_real", "fid_noise"))
    return (float(real.iloc[0]), float(noise.iloc[0])) if len(real) and len(noise) else (np.nan, np.nan)
