"""Curves over training: each run by itself, and the mean of those that finished."""

import numpy as np
import pandas as pd

from lipbench.disk.store import Status

SPREAD = ["method", "x", "mean", "low", "high", "n"]


def evaluations(done: pd.DataFrame, traces: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Every evaluation of finished runs, the last as the table of runs has it.

    Args:
        done: finished runs, rows of the table of runs.
        traces: a row an evaluation; a run without any has the last one alone.
        columns: what is wanted of each, as both frames call it.

    Returns:
        Columns run_id, method, step and `columns`, as floats.
    """
    names = ["run_id", "method", "step", *columns]
    ends = done.rename(columns={"steps": "step"})
    parts = [traces[traces["run_id"].isin(done["run_id"])], ends]
    found = [part[names].astype(dict.fromkeys(["step", *columns], float)) for part in parts if len(part)]
    if not found:
        return pd.DataFrame(columns=names)
    return pd.concat(found).drop_duplicates(["run_id", "step"], keep="last", ignore_index=True)


def over_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest of each method over its runs, wherever all of them have a value.

    The runs of a method are brought to one grid, every x at which any of them was measured: straight between its own
    points, and level after the last, as nothing follows. A mean over other runs at each x would jump where one begins
    or ends.

    Args:
        points: columns run_id, method, x and y, without gaps.

    Returns:
        Columns method, x, mean, low, high, n; in the order of x within a method.
    """
    found = []
    for method, group in points.groupby("method"):
        runs = [run.sort_values("x") for _, run in group.groupby("run_id")]
        grid = np.unique(group["x"].to_numpy(float))
        grid = grid[grid >= max(run["x"].iloc[0] for run in runs)]
        values = np.array([np.interp(grid, run["x"], run["y"]) for run in runs])
        spread = {"mean": values.mean(axis=0), "low": values.min(axis=0), "high": values.max(axis=0)}
        found.append(pd.DataFrame({"method": method, "x": grid} | spread | {"n": len(runs)}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=SPREAD)


def training(runs: pd.DataFrame, traces: pd.DataFrame, x: str, y: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How `y` went over training: the mean of the finished runs, and every other run by itself.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
        x: their column to draw against.
        y: their column to draw; a finished run counts if the table of runs has its last value, as in every table.

    Returns:
        What `over_seeds` makes of finished runs, those without evaluations left out; and columns run_id, method,
        status, x and y of every evaluation of the others.
    """
    done = runs[(runs["status"] == Status.DONE) & runs[y].notna() & runs["run_id"].isin(traces["run_id"])]
    others = traces.assign(status=traces["run_id"].map(runs.set_index("run_id")["status"]))
    others = others[others["status"] != Status.DONE]
    finished = evaluations(done, traces, sorted({x, y} - {"step"}))
    points, single = (
        frame.assign(x=frame[x].astype(float), y=frame[y].astype(float)).dropna(subset=["x", "y"])
        for frame in (finished, others)
    )
    return over_seeds(points), single[["run_id", "method", "status", "x", "y"]].sort_values(["run_id", "x"])
