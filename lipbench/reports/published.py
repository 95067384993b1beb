"""Numbers that others reported, beside ours where the pair of distributions is the very same.

`published_w1.csv` holds table by table what Korotin, Kolesov & Burnaev 2022 (arXiv:2206.07767) published with
https://github.com/justkolesov/Wasserstein1Benchmark (MIT): one seed; batch 1024, Adam 2e-4 (0, .9), an MLP of three
layers as under protocol ``w1``. Labels are theirs, partly inferred from their notebooks.
"""

from functools import cache
from pathlib import Path

import pandas as pd

from lipbench.reports.statistics.intervals import UNKNOWN, for_people, summarise

SOURCE = (
    "Reported by Korotin, Kolesov & Burnaev 2022 (arXiv:2206.07767) on the same pair: one seed, lengths as stated, "
    "their sn with five power iterations whose norm is detached, their wc with c = .04 on weights alone."
)
MEASURES = ["cos", "l2", "W₁ estimate"]


@cache
def reported() -> pd.DataFrame:
    """Everything that was published, a row a pair and label."""
    return pd.read_csv(Path(__file__).with_name("published_w1.csv"))


def beside(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Ours and theirs, row by row, for people; None where nothing was published on the pair.

    Args:
        runs: rows of one comparison.
    """
    if set(runs["architecture"]) != {"mlp"} or set(runs["loss"]) != {"wasserstein"}:
        return None
    pairs = runs["pair"].dropna().unique()
    theirs = reported()[reported()["pair"].isin(pairs)]
    if len(pairs) != 1 or theirs.empty:
        return None
    steps = runs.groupby("method")["steps"].max()
    ours = for_people(summarise(runs))
    rows = []
    told: set[str] = set()
    for record in ours.to_dict("records"):
        mine = {str(key): str(value) for key, value in record.items()}
        base = mine["method"].partition("[")[0]  # a composition has no counterpart
        match = theirs[theirs["method"] == base]
        told |= set(match["label"])
        rows.append(_row(mine, int(steps[mine["method"]]), match))
    rows += [_row(None, 0, theirs[theirs["label"] == label]) for label in theirs["label"] if label not in told]
    return pd.DataFrame(rows)


def _row(mine: dict[str, str] | None, steps: int, match: pd.DataFrame) -> dict[str, str]:
    row = {"method": mine["method"] if mine else UNKNOWN, "n": mine["n"] if mine else UNKNOWN}
    row |= {"diverged": mine["diverged"] if mine else UNKNOWN}
    row |= {"steps": f"{steps:,}" if mine else UNKNOWN}
    row |= {name: mine[name] if mine else UNKNOWN for name in MEASURES}
    theirs = match.iloc[0] if len(match) else None
    row["reported as"] = str(theirs["label"]) if theirs is not None else UNKNOWN
    row["their steps"] = f"{theirs['steps']:,.0f}" if theirs is not None and theirs["steps"] > 0 else UNKNOWN
    for name, column in zip(MEASURES, ("cos", "l2", "w1"), strict=True):
        row[f"their {name}"] = f"{theirs[column]:.2f}" if theirs is not None else UNKNOWN
    return row
