"""Curves of runs and their means."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports.statistics.curves import evaluations, over_seeds, training
from tests.reports import builder


def points(**runs: list[tuple[float, float]]) -> pd.DataFrame:
    return pd.DataFrame([{"run_id": run, "method": "gp", "x": x, "y": y} for run in runs for x, y in runs[run]])


def test_runs_of_unequal_speed_are_averaged_at_equal_seconds() -> None:
    found = over_seeds(points(quick=[(1, 10), (2, 4)], slow=[(2, 8), (4, 2)]))
    # At 2 s the quick one has ended with 4 and the slow one has 8; at 4 s the slow one has 2.
    assert found["x"].tolist() == [2, 4]
    assert found["mean"].tolist() == [6, 3]
    assert found["low"].tolist() == [4, 2]
    assert found["high"].tolist() == [8, 4]
    assert found["n"].tolist() == [2, 2]


def test_between_its_evaluations_a_run_is_straight() -> None:
    found = over_seeds(points(one=[(0, 10), (4, 2)], other=[(0, 1), (1, 1), (4, 1)]))
    assert found["mean"].tolist() == [5.5, 4.5, 1.5]


CURVES = st.lists(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0.1, 1e4)), min_size=1, max_size=8, unique_by=lambda point: point[0]
    ),
    min_size=1,
    max_size=5,
)


@given(CURVES)
def test_a_mean_curve_is_in_order_counts_every_run_and_ends_in_the_mean_of_the_ends(
    curves: list[list[tuple[float, float]]],
) -> None:
    found = over_seeds(points(**{f"run{place}": curve for place, curve in enumerate(curves)}))
    assert (np.diff(found["x"]) > 0).all()
    assert (found["n"] == len(curves)).all()
    assert found["x"].iloc[0] == max(min(x for x, _ in curve) for curve in curves)
    assert found["mean"].iloc[-1] == pytest.approx(np.mean([max(curve)[1] for curve in curves]))
    assert (found["low"] <= found["mean"] * (1 + 1e-9)).all()
    assert (found["mean"] <= found["high"] * (1 + 1e-9)).all()


def runs() -> tuple[pd.DataFrame, pd.DataFrame]:
    table = builder.table(
        {"method": "gp", "seed": seed, "status": status, "fid": fid, "steps": 2, "seconds_train": 2.0 + seed}
        for seed, (status, fid) in enumerate([("done", 5.0), ("done", 7.0), ("diverged", None), ("done", None)])
    )
    lines = [
        {"run_id": run, "method": "gp", "step": step, "seconds_train": float(step), "fid": 100.0 * (1 + place)}
        for place, run in enumerate(table["run_id"])
        for step in (1, 2)
    ]
    return table, pd.DataFrame(lines)


def test_only_finished_runs_that_count_in_the_tables_are_in_the_mean() -> None:
    spread, single = training(*runs(), "step", "fid")
    assert spread["n"].tolist() == [2, 2]
    assert spread["mean"].tolist() == [150, 6]
    assert single[["run_id", "status", "y"]].to_numpy().tolist() == [
        ["run-2", "diverged", 300], ["run-2", "diverged", 300]
    ]  # fmt: skip


def test_the_last_evaluation_is_that_of_the_table_even_where_the_trace_lacks_it() -> None:
    table, traces = runs()
    traces = traces[(traces["run_id"] != "run-0") | (traces["step"] == 1)]
    found = evaluations(table[table["status"] == "done"], traces, ["fid"])
    assert found.loc[found["run_id"] == "run-0", ["step", "fid"]].to_numpy().tolist() == [[1, 100], [2, 5]]


def test_nothing_comes_of_nothing() -> None:
    table, traces = runs()
    spread, single = training(table.iloc[:0], traces.iloc[:0], "seconds_train", "fid")
    assert spread.empty
    assert single.empty
