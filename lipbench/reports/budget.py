"""Quality at equal cost: after as many steps, after as many seconds, and who gives most for seconds and memory."""

import numpy as np
import pandas as pd

from lipbench.reports.baseline import DECIDING
from lipbench.reports.statistics.intervals import UNKNOWN, t_interval
from lipbench.store import Status

RULES = (
    "Of each run counts the last evaluation within the steps, or the seconds of training, that every method reached "
    "(the seconds: those of the method that needs least, by its median run). On the frontier of seconds, or of memory, "
    "is a method which no other beats in mean quality without taking more of it. Means are of finished runs, and are "
    "compared without a test. Seconds are those of the machine that ran them, with all else that it did."
)
OTHER_DEVICES = "Seconds are left out: the runs were made on different devices ({})."


def table(runs: pd.DataFrame, traces: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method, for people; None where nothing that decides was measured of two methods.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
    """
    points = costs(runs)
    if points is None or len(points) < 2:
        return None
    column, name, _ = deciding(runs) or DECIDING[0]
    done = runs[runs["status"] == Status.DONE]
    marks = _marks(done, traces, column)
    steps = marks.groupby("run_id")["step"].max().min()
    seconds = _budget(done)
    title_steps = f"{name} at {steps:,.0f} steps"
    rows = []
    for point in points.to_dict("records"):
        method = str(point["method"])
        own = marks[marks["run_id"].isin(done.loc[done["method"] == method, "run_id"])]
        row = {
            "method": method,
            "n": str(int((done["method"] == method).sum())),
            "diverged": str(int(((runs["method"] == method) & (runs["status"] == Status.DIVERGED)).sum())),
            title_steps: str(_within(own, "step", steps, column)),
        }
        if seconds is not None:
            row[f"{name} at {seconds:.3g} s"] = str(_within(own, "seconds_train", seconds, column))
            row["training s"] = _number(point["seconds"])
        row["peak MiB"] = _number(point["memory"])
        on = [
            axis for axis in ("seconds", "memory") if point[f"on_{axis}"] and (axis == "memory" or seconds is not None)
        ]
        row["on the frontier of"] = ", ".join(on) or UNKNOWN
        rows.append(row)
    return pd.DataFrame(rows)


def deciding(runs: pd.DataFrame) -> tuple[str, str, bool] | None:
    """The measure that decides: its column, its name, and whether less is better; None where nothing is known."""
    return next((each for each in DECIDING if runs[each[0]].notna().any()), None)


def costs(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Means of quality, seconds of training and MiB of each method's finished runs, the best first.

    Returns:
        Columns method, quality, seconds, memory, on_seconds, on_memory; None where nothing that decides is known.
    """
    measure = deciding(runs)
    if measure is None:
        return None
    column, _, less = measure
    done = runs[(runs["status"] == Status.DONE) & runs[column].notna()]
    found = pd.DataFrame({
        "method": done["method"].astype(str),
        "quality": done[column].astype(float),
        "seconds": done["seconds_train"].astype(float),
        "memory": done["peak_memory_bytes"].astype(float) / 2**20,
    }).groupby("method", as_index=False).mean()  # fmt: skip
    found = found.sort_values("quality", ascending=less, ignore_index=True)
    for axis in ("seconds", "memory"):
        dearest = found[axis].cummin()
        found[f"on_{axis}"] = found[axis].notna() & (found[axis] == dearest) & ~found.duplicated([axis])
    return found


def devices(runs: pd.DataFrame) -> str | None:
    """Why seconds cannot be compared; None where they can."""
    known = sorted(set(runs["device"].dropna()))
    return OTHER_DEVICES.format(", ".join(known)) if len(known) > 1 else None


def _budget(done: pd.DataFrame) -> float | None:
    """The seconds that every method reached; None where they cannot be compared."""
    medians = done.groupby("method")["seconds_train"].median().dropna()
    return None if medians.empty or devices(done) is not None else float(medians.min())


def _marks(done: pd.DataFrame, traces: pd.DataFrame, column: str) -> pd.DataFrame:
    """Every evaluation of finished runs; of runs without a trace the last one."""
    columns = ["run_id", "step", "seconds_train", column]
    traced = traces[traces["run_id"].isin(done["run_id"])]
    rest = done[~done["run_id"].isin(traced["run_id"])].rename(columns={"steps": "step"})
    parts = [part[columns].astype({"step": float, "seconds_train": float, column: float}) for part in (traced, rest)]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _within(marks: pd.DataFrame, axis: str, most: float, column: str) -> object:
    # Rounding: the last evaluation of the run that sets the budget is within it.
    inside = marks[marks[axis] <= most * (1 + 1e-9)].sort_values("step")
    return t_interval(inside.groupby("run_id")[column].last())


def _number(value: float) -> str:
    return UNKNOWN if np.isnan(value) else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
