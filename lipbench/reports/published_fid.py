"""FIDs that others published, beside ours on the same data and network, with every difference that is known."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from lipbench.reports.statistics.intervals import UNKNOWN, for_people, summarise

EXTRACTOR = "inception-v3-compat"
SOURCE = (
    "Reported by the sources named, mostly of one run. What their protocol is known to have otherwise than ours stands "
    "in the last column, what they do not state after it; such numbers do not rank with ours."
)
# Theirs, ours, and what it is called.
COMPARED = [
    ("loss", "loss", "loss"),
    ("steps", "steps", "steps"),
    ("critic_steps", "train.critic_steps", "critic steps"),
    ("batch", "train.batch_size", "batch"),
    ("samples", "samples", "pictures"),
    ("real_samples", "real_samples", "real pictures"),
    ("real", "split", "split"),
]


@cache
def reported() -> pd.DataFrame:
    """Everything that was published, a row a number."""
    whole = dict.fromkeys(["steps", "critic_steps", "batch", "samples", "real_samples"], "Int64")
    return pd.read_csv(
        Path(__file__).with_name("published_fid.csv"), dtype=whole, keep_default_na=False, na_values=[""]
    )


def beside(runs: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame | None:
    """Ours and theirs, row by row, for people; None where nothing was published on data and network.

    Args:
        runs: rows of one comparison.
        settings: of its protocol by dotted key, as far as they are known.
    """
    first = runs.iloc[0]
    table = reported()
    theirs = table[(table["dataset"] == first["dataset"]) & (table["architecture"] == first["architecture"])]
    extractors = runs["extractor"].dropna().unique()
    same = len(extractors) > 0 and all(str(name).startswith(EXTRACTOR) for name in extractors)
    if theirs.empty or runs["fid"].isna().all() or not same:
        return None
    ours = {row["method"]: row for row in for_people(summarise(runs)).to_dict("records")}
    rows = []
    for record in theirs.to_dict("records"):
        counterparts = [method for method in ours if method.partition("[")[0] == record["method"]]
        for method in counterparts or [None]:
            mine = _mine(runs[runs["method"] == method], settings) if method else settings
            rows.append(
                {
                    "method": method or UNKNOWN,
                    "n": ours[method]["n"] if method else UNKNOWN,
                    "diverged": ours[method]["diverged"] if method else UNKNOWN,
                    "FID": ours[method]["FID"] if method else UNKNOWN,
                    "Inception Score": ours[method]["Inception Score"] if method else UNKNOWN,
                    "reported as": f"{record['label']}, {record['source']}",
                    "their FID": _spread(record["fid"], record["fid_spread"]),
                    "their Inception Score": _spread(record["inception_score"], record["inception_score_spread"]),
                    "differs in": _differences(record, mine) if method else UNKNOWN,
                }
            )
    return pd.DataFrame(rows)


def _mine(runs: pd.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """Of one method what may differ from theirs."""
    return settings | {name: runs[name].iloc[0] for name in ("loss", "samples", "real_samples", "split")} | {
        "steps": runs["steps"].max()
    }  # fmt: skip


def _differences(record: dict[str, Any], mine: dict[str, Any]) -> str:
    told: list[str] = []
    unstated: dict[str, list[str]] = {"not stated": [], "of ours not known": []}
    for theirs, ours, name in COMPARED:
        their, own = record[theirs], mine.get(ours, pd.NA)
        # All of a split has no count, on either side.
        if name == "real pictures" and (pd.isna(their) or pd.isna(own)):
            continue
        if pd.isna(their):
            unstated["not stated"].append(name)
        elif pd.isna(own):
            unstated["of ours not known"].append(name)
        elif str(own) != str(their):
            told.append(f"{name} {_text(their)}, not {_text(own)}")
    told += [str(record["note"])] if pd.notna(record["note"]) else []
    gaps = "; ".join(f"{what}: {', '.join(names)}" for what, names in unstated.items() if names)
    listed = "; ".join(told) or ("nothing known" if gaps else "nothing")
    return f"{listed} ({gaps})" if gaps else listed


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _spread(value: float, spread: float) -> str:
    if pd.isna(value):
        return UNKNOWN
    return f"{value:g}" if pd.isna(spread) else f"{value:g} ± {spread:g}"
