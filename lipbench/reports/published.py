"""Numbers that others reported, beside ours where the data, or the pair of distributions, are the very same.

`published_w1.csv` holds table by table what Korotin, Kolesov & Burnaev 2022 (arXiv:2206.07767) published with
https://github.com/justkolesov/Wasserstein1Benchmark (MIT): one seed; batch 1024, Adam 2e-4 (0, .9), an MLP of three
layers as under protocol ``w1``. Labels are theirs, partly inferred from their notebooks. `published_fid.csv` names the
source of each of its rows; those of GN-GAN's authors are means and deviations over the seeds of their misc/eval.csv of
2022-03-26.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from lipbench.reports.statistics.intervals import UNKNOWN, for_people, summarise

W1_SOURCE = (
    "Reported by Korotin, Kolesov & Burnaev 2022 (arXiv:2206.07767) on the same pair: one seed, lengths as stated, "
    "their sn with five power iterations whose norm is detached, their wc with c = .04 on weights alone."
)
W1_MEASURES = {"cos": "cos", "l2": "l2", "W₁ estimate": "w1"}  # by our titles their columns
FID_SOURCE = (
    "Reported by the sources named, mostly of one run. What their protocol is known to have otherwise than ours stands "
    "in the last column, what they do not state after it; such numbers do not rank with ours."
)
EXTRACTOR = "inception-v3-compat"
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
WHOLE = ["steps", "critic_steps", "batch", "samples", "real_samples"]


@cache
def reported(name: str) -> pd.DataFrame:
    """Everything that was published of ``w1``, ``fid`` or ``modes``, a row a number."""
    path = Path(__file__).with_name(f"published_{name}.csv")
    return pd.read_csv(path, dtype=dict.fromkeys(WHOLE, "Int64"), keep_default_na=False, na_values=[""])


def distances(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Ours, of one comparison, and theirs, row by row, for people; None where nothing was published on the pair."""
    if set(runs["architecture"]) != {"mlp"} or set(runs["loss"]) != {"wasserstein"}:
        return None
    pairs = runs["pair"].dropna().unique()
    table = reported("w1")
    theirs = table[table["pair"].isin(pairs)]
    if len(pairs) != 1 or theirs.empty:
        return None
    steps = runs.groupby("method")["steps"].max()
    known = ours(runs)
    counterparts = {record["method"]: record for record in theirs.dropna(subset="method").to_dict("records")}
    rows = [_distance(mine, f"{steps[method]:,}", counterparts.get(base(method), {})) for method, mine in known.items()]
    alone = theirs[~theirs["method"].isin([base(method) for method in known])]
    return pd.DataFrame(rows + [_distance({}, UNKNOWN, record) for record in alone.to_dict("records")])


def _distance(mine: dict[str, str], steps: str, theirs: dict[Any, Any]) -> dict[str, str]:
    return {
        **shown(mine, ["method", "n", "diverged"]),
        "steps": steps,
        **shown(mine, W1_MEASURES),
        "reported as": theirs.get("label", UNKNOWN),
        "their steps": f"{theirs['steps']:,}" if pd.notna(theirs.get("steps")) else UNKNOWN,
        **{f"their {name}": f"{theirs[key]:.2f}" if theirs else UNKNOWN for name, key in W1_MEASURES.items()},
    }


def fids(runs: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame | None:
    """Ours and theirs, row by row, for people; None where nothing was published on data and network.

    Args:
        runs: rows of one comparison.
        settings: of its protocol by dotted key, as far as they are known.
    """
    first = runs.iloc[0]
    table = reported("fid")
    theirs = table[(table["dataset"] == first["dataset"]) & (table["architecture"] == first["architecture"])]
    extractors = runs["extractor"].dropna().unique()
    same = len(extractors) > 0 and all(str(name).startswith(EXTRACTOR) for name in extractors)
    if theirs.empty or runs["fid"].isna().all() or not same:
        return None
    known = ours(runs)
    rows = []
    for record in theirs.to_dict("records"):
        for method in [method for method in known if base(method) == record["method"]] or [""]:
            own = _settings(runs[runs["method"] == method], settings) if method else None
            rows.append(
                {
                    **shown(known.get(method, {}), ["method", "n", "diverged", "FID", "Inception Score"]),
                    "reported as": f"{record['label']}, {record['source']}",
                    "their FID": spread(record["fid"], record["fid_spread"]),
                    "their Inception Score": spread(record["inception_score"], record["inception_score_spread"]),
                    "differs in": _differences(record, own) if own is not None else UNKNOWN,
                }
            )
    return pd.DataFrame(rows)


def ours(runs: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The summary of each method, for people."""
    return {
        str(row["method"]): {str(key): str(value) for key, value in row.items()}
        for row in for_people(summarise(runs)).to_dict("records")
    }


def base(method: str) -> str:
    """The name without parameters; a composition keeps its plus sign, and so has no counterpart."""
    return method.partition("[")[0]


def shown(mine: dict[str, str], titles: Iterable[str]) -> dict[str, str]:
    """Some columns of a summary, by their titles."""
    return {title: mine.get(title, UNKNOWN) for title in titles}


def _settings(runs: pd.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """Of one method what may differ from theirs."""
    first = {name: runs[name].iloc[0] for name in ("loss", "samples", "real_samples", "split")}
    return settings | first | {"steps": runs["steps"].max()}


def _differences(record: dict[str, Any], mine: dict[str, Any]) -> str:
    told: list[str] = []
    unstated: dict[str, list[str]] = {"not stated": [], "of ours not known": []}
    for theirs, own_key, name in COMPARED:
        their, own = record[theirs], mine.get(own_key, pd.NA)
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


def spread(value: float, spread: float) -> str:
    """A value that others reported, with its spread if they gave one."""
    if pd.isna(value):
        return UNKNOWN
    return f"{value:g}" if pd.isna(spread) else f"{value:g} ± {spread:g}"
