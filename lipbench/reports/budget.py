"""Quality at equal cost: after as many steps, after as many seconds, and who gives most for seconds and memory."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from lipbench.disk.store import Status
from lipbench.measures import Column, Deciding
from lipbench.reports.reading.columns import BY_NAME, deciding
from lipbench.reports.statistics.curves import evaluations
from lipbench.reports.statistics.intervals import UNKNOWN, short, t_interval

RULES = (
    "Of each run counts the last evaluation within the steps, or the seconds of training, that every method reached "
    "(the seconds: those in which all runs of the quickest method ended); where fewer runs than n have one, their "
    "number stands beside it. On the frontier of seconds, or of memory, is a method which no other beats in mean "
    "quality without taking more of it, and of which no run diverged. Means are of finished runs, and are compared "
    "without a test. Seconds are those of the machine that ran them, with all else that it did. Memory of runs on a "
    "CPU is left out: it is known of the whole process, whose libraries take more than methods differ by."
)
FOLLOWED = (
    "Quality on the way is told by {}, of the curve extractor: it says nothing next to {}, which is known at the end "
    "alone and makes the order and the frontier."
)
COSTS = ["seconds_train", "seconds_per_step", "peak_memory_bytes"]
OTHER_DEVICES = (
    "The runs were made on different devices ({}): do not compare their seconds and memory, which are left out where "
    "methods are compared at equal cost."
)


def table(runs: pd.DataFrame, traces: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method of one comparison, for people; None where nothing that decides was measured of two methods."""
    points, measure = costs(runs), deciding(runs)
    if points is None or measure is None or len(points) < 2:
        return None
    done = runs[(runs["status"] == Status.DONE) & runs[measure.name].notna()]
    followed = by(runs, measure)
    column, name = followed.name, followed.title
    marks = evaluations(done, traces, ["seconds_train", column])
    steps = marks.groupby("run_id")["step"].max().min()
    # In which all runs of the quickest method ended.
    seconds = float(done.groupby("method")["seconds_train"].max().astype(float).min())
    one_device = devices(runs) is None
    rows = []
    for point in points.to_dict("records"):
        own = marks[marks["run_id"].isin(done.loc[done["method"] == point["method"], "run_id"])]
        row = {"method": str(point["method"]), "n": str(point["n"]), "diverged": str(point["diverged"])}
        if np.isfinite(steps):
            row[f"{name} at {steps:,.0f} steps"] = _within(own, "step", steps, column, point["n"])
        if one_device and np.isfinite(seconds):
            row[f"{name} at {short(seconds)} s"] = _within(own, "seconds_train", seconds, column, point["n"])
            row["training s"] = short(point["seconds"])
        if one_device and points["memory"].notna().any():
            row["peak MiB"] = short(point["memory"])
        on = [axis for axis in ("seconds", "memory") if point[f"on_{axis}"]]
        row |= {"on the frontier of": ", ".join(on) or UNKNOWN} if one_device else {}
        rows.append(row)
    found = pd.DataFrame(rows)
    costly = found.columns.difference(["method", "n", "diverged", "on the frontier of"])
    return None if (found[costly] == UNKNOWN).all(axis=None) else found


def rules(runs: pd.DataFrame) -> str:
    """How to read the table."""
    measure = deciding(runs)
    followed = by(runs, measure) if measure else None
    told = FOLLOWED.format(followed.title, measure.title) if measure and followed and followed != measure else None
    return " ".join(filter(None, [RULES, told, devices(runs)]))


def by(runs: pd.DataFrame, measure: Deciding) -> Column:
    """What tells quality at equal cost: the measure that decides, or another where that is known at the end alone."""
    known = measure.followed and runs[measure.followed].notna().any()
    return BY_NAME[measure.followed] if known else measure


def costs(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Means of quality, seconds of training and MiB (of a GPU) of each method's finished runs, the best first.

    Returns:
        Columns method, n, diverged, quality, seconds, memory, on_seconds, on_memory; None where nothing that decides is
        known.
    """
    measure = deciding(runs)
    if measure is None:
        return None
    column, less = measure.name, measure.less
    done = runs[(runs["status"] == Status.DONE) & runs[column].notna()]
    values = pd.DataFrame({
        "method": done["method"].astype(str),
        "quality": done[column].astype(float),
        "seconds": done["seconds_train"].astype(float),
        "memory": done["peak_memory_bytes"].where(~on_cpu(done)).astype(float) / 2**20,
    })  # fmt: skip
    found = values.groupby("method", as_index=False).mean()
    found.insert(1, "n", found["method"].map(values["method"].value_counts()))
    lost = runs.loc[runs["status"] == Status.DIVERGED, "method"].astype(str).value_counts()
    found.insert(2, "diverged", found["method"].map(lost).fillna(0).astype(int))
    found = found.sort_values("quality", ascending=less, ignore_index=True)
    whole = found[found["diverged"] == 0]
    for axis in ("seconds", "memory"):
        found[f"on_{axis}"] = [
            row["diverged"] == 0 and not np.isnan(row[axis]) and not _beaten(row, whole, axis, less)
            for row in found.to_dict("records")
        ]
    return found


def _beaten(row: dict[Hashable, Any], others: pd.DataFrame, axis: str, less: bool) -> bool:
    """Whether another is better for no more, or as good for less."""
    ahead = (row["quality"] - others["quality"]) * (1 if less else -1)
    saved = row[axis] - others[axis]
    return bool((((ahead > 0) & (saved >= 0)) | ((ahead == 0) & (saved > 0))).any())


def devices(runs: pd.DataFrame) -> str | None:
    """Why seconds and memory cannot be compared; None where they can.

    Only finished runs of which a cost is known count: nothing is compared of the others.
    """
    costly = runs[(runs["status"] == Status.DONE) & runs[COSTS].notna().any(axis=1)]
    names = sorted(set(costly["device"].fillna("not known")))
    return OTHER_DEVICES.format(", ".join(names)) if len(names) > 1 else None


def on_cpu(runs: pd.DataFrame) -> pd.Series:
    """Which runs were made on a CPU, where memory is known of the whole process only."""
    return runs["device"].astype("string").str.lower().str.startswith("cpu").fillna(False).astype(bool)


def _within(marks: pd.DataFrame, axis: str, most: float, column: str, n: int) -> str:
    # Rounding: the last evaluation of the run that sets the budget is within it.
    inside = marks[marks[axis] <= most * (1 + 1e-9)].sort_values("step")
    found = t_interval(inside.groupby("run_id")[column].last())
    return f"{found} (of {found.n})" if 0 < found.n < n else str(found)
