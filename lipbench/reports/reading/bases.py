"""What runs were made from: their data, and the extractors that measured them. Numbers of different ones never pool."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pandas as pd

# Columns of digests, and of names that hold the digest of weights.
BASIS = ["pictures", "pair", "points", "extractor", "curve_extractor"]
NAMED = 3  # of the runs that were made from one basis


def parted(runs: pd.DataFrame, yardsticks: Mapping[str, Mapping[str, str]]) -> tuple[pd.DataFrame, list[str]]:
    """Part every comparison whose runs were made from different things.

    A run that does not say what it was made from, as earlier versions made them, stays with the others where only one
    thing is known that it could have been.

    Args:
        runs: the columns of ``runs.csv`` and comparison_id.
        yardsticks: what those of each comparison_id were made from.

    Returns:
        The same runs, those of a comparison that is parted with a comparison_id for each part and its name in the
        column ``part``, which is empty elsewhere; and what a reader must know of it, in sentences.
    """
    ids, parts, told = runs["comparison_id"].copy(), pd.Series("", index=runs.index, dtype=object), []
    for comparison, group in runs.groupby("comparison_id", sort=True):
        differing = _differing(group, yardsticks.get(str(comparison), {}))
        if not differing:
            continue
        for index, row in zip(group.index, group[differing].fillna("").to_dict("records"), strict=True):
            digest = sha256("\n".join(map(str, row.values())).encode()).hexdigest()[:6]
            ids[index] = f"{comparison}-{digest}"
            parts[index] = ", ".join(f"{key} {_short(str(value))}" for key, value in row.items())
        told.append(_told(group, parts[group.index], differing))
    return runs.assign(comparison_id=ids, part=parts), told


def _differing(group: pd.DataFrame, yardstick: Mapping[str, str]) -> list[str]:
    """What the runs of a comparison were not all made from."""
    found = []
    for key in BASIS:
        own = set(group[key].dropna())
        if len(own | {yardstick[key]} if key in yardstick else own) > 1 and group[key].nunique(dropna=False) > 1:
            found.append(key)
    return found


def belongs(runs: pd.DataFrame, yardstick: Mapping[str, str]) -> bool:
    """Whether yardsticks were made from what the runs of a comparison, or of a part of one, were made from."""
    is_part = bool((runs["part"] != "").any())
    for key in BASIS:
        own = set(runs[key].dropna())
        if key in yardstick and (own - {yardstick[key]} or (is_part and not own)):
            return False
        if is_part and own and key not in yardstick:
            return False
    return True


def _short(value: str) -> str:
    """A digest at the length at which people compare it; a name is left whole."""
    if not value:
        return "not known"
    return value[:10] if len(value) > 20 and value.isalnum() else value


def _told(group: pd.DataFrame, parts: "pd.Series[Any]", differing: list[str]) -> str:
    title = group.iloc[0]
    listed = []
    for part, ids in group["run_id"].groupby(parts):
        names = ", ".join(ids.iloc[:NAMED]) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")
        listed.append(f"{part} ({names})")
    return (
        f"{title['dataset']}, protocol {title['protocol']}: the runs differ in {' and '.join(differing)}, and stand in "
        f"sections apart, as their numbers do not compare: {'; '.join(listed)}"
    )
