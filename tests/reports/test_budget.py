"""Quality at equal cost."""

import pandas as pd
import pytest

from lipbench.reports import budget
from lipbench.reports.budget import costs, devices, table
from tests.reports import builder

DONE = [
    ("quick", 0, 8.0, 2.0),
    ("quick", 1, 10.0, 2.2),
    ("slow", 0, 5.0, 4.0),
    ("slow", 1, 6.0, 4.2),
    ("bad", 0, 9.5, 5.0),
]


def runs(device: str = "NVIDIA A100") -> pd.DataFrame:
    return builder.table(
        {
            "method": method, "seed": seed, "fid": fid, "seconds_train": seconds, "steps": 100, "device": device,
            "peak_memory_bytes": 2**20 * (100 if method == "quick" else 300),
        }
        for method, seed, fid, seconds in DONE
    )  # fmt: skip


def traces(of: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(
        of[["run_id", "method", "fid"]].assign(
            step=step, seconds_train=of["seconds_train"] * step / 100, fid=of["fid"] * 100 / step, cos=None
        )
        for step in (25, 50, 100)
    )


def test_quality_is_read_at_the_steps_and_the_seconds_that_all_reached() -> None:
    of = runs()
    found = table(of, traces(of))
    assert found is not None
    shown = found.set_index("method")
    assert list(shown.index) == ["slow", "quick", "bad"]
    # All runs of the quick one end within 2.2 s.
    assert shown.loc["slow", "FID at 100 steps"].startswith("5.5 ±")
    assert shown.loc["quick", "FID at 2.2 s"].startswith("9.0 ±")
    assert shown.loc["slow", "FID at 2.2 s"].startswith("11 ±")
    assert shown.loc["bad", "FID at 2.2 s"] == "38.0"


def test_the_frontier_is_of_those_that_no_other_beats_at_no_more_cost() -> None:
    found = costs(runs())
    assert found is not None
    shown = found.set_index("method")
    assert list(shown.index[shown["on_seconds"]]) == ["slow", "quick"]
    assert list(shown.index[shown["on_memory"]]) == ["slow", "quick"]


@pytest.mark.parametrize("other", ["cpu", "NVIDIA H100 80GB HBM3"])
def test_seconds_of_different_devices_are_not_compared(other: str) -> None:
    of = pd.concat([runs(), runs(other).assign(method="other")], ignore_index=True)
    assert devices(of) == budget.OTHER_DEVICES.format(", ".join(sorted([other, "NVIDIA A100"])))
    found = table(of, traces(of).iloc[:0])
    assert found is not None
    assert list(found) == ["method", "n", "diverged", "FID at 100 steps"]


def test_a_device_that_is_not_known_is_another_one() -> None:
    of = runs()
    of.loc[of["method"] == "bad", "device"] = None
    assert "NVIDIA A100, not known" in str(devices(of))


@pytest.mark.parametrize("status", ["interrupted", "running", "failed", "diverged"])
def test_the_device_of_a_run_of_which_nothing_is_compared_does_not_matter(status: str) -> None:
    lost = builder.table([{"method": "slow", "seed": 2, "status": status}])
    without_costs = builder.table([{"method": "elsewhere", "fid": 3.0}])
    assert devices(pd.concat([runs(), lost, without_costs], ignore_index=True)) is None


@pytest.mark.parametrize("device", ["cpu", "cpu AMD EPYC", "CPU"])
def test_memory_of_whole_processes_is_on_no_frontier(device: str) -> None:
    of = runs(device)
    found, points = table(of, traces(of)), costs(of)
    assert found is not None and points is not None
    assert "peak MiB" not in found
    assert set(found["on the frontier of"]) == {"seconds", "–"}
    assert points["memory"].isna().all()
    assert "Memory of runs on a CPU is left out" in budget.RULES


def test_fewer_runs_than_there_are_stand_beside_their_mean() -> None:
    of = runs()
    of.loc[of["seed"] == 1, "seconds_train"] = 9.0
    found = table(of, traces(of).iloc[:0])
    assert found is not None
    assert found.set_index("method").loc["slow", "FID at 5 s"] == "5.00 (of 1)"


def test_runs_without_a_trace_are_read_at_their_end() -> None:
    of = runs()
    found = table(of, traces(of).iloc[:0])
    assert found is not None
    assert found.set_index("method").loc["bad", "FID at 100 steps"] == "9.50"
    assert found.set_index("method").loc["bad", "FID at 2.2 s"] == "–"


def test_diverged_runs_are_counted_and_their_method_is_on_no_frontier() -> None:
    lost = builder.table([{"method": "slow", "seed": 2, "status": "diverged"}])
    of = pd.concat([runs(), lost], ignore_index=True)
    found = table(of, traces(of))
    assert found is not None
    columns = ["n", "diverged", "on the frontier of"]
    assert found.set_index("method").loc["slow", columns].tolist() == ["2", "1", "–"]
    assert found.set_index("method").loc["quick", columns].tolist() == ["2", "0", "seconds, memory"]


def test_equals_share_the_frontier() -> None:
    of = runs().assign(fid=2.0, seconds_train=1.0)
    found = costs(of)
    assert found is not None
    assert found["on_seconds"].all()


def test_without_steps_and_seconds_there_is_no_table() -> None:
    of = runs().assign(steps=None, seconds_train=float("nan"), peak_memory_bytes=None)
    assert table(of, traces(of).iloc[:0]) is None


@pytest.mark.parametrize("column", ["seconds_train", "peak_memory_bytes"])
def test_what_is_not_known_is_on_no_frontier(column: str) -> None:
    of = runs()
    of[column] = float("nan")
    found = table(of, traces(of).assign(seconds_train=float("nan")) if column == "seconds_train" else traces(of))
    assert found is not None
    axis = "seconds" if column == "seconds_train" else "memory"
    assert not found["on the frontier of"].str.contains(axis).any()


def test_one_method_has_nobody_to_be_compared_with() -> None:
    of = runs()
    of = of[of["method"] == "slow"]
    assert table(of, traces(of)) is None
    assert table(of.assign(fid=float("nan")), traces(of)) is None


def test_where_the_fid_is_known_at_the_end_alone_quality_on_the_way_is_that_of_the_curve_extractor() -> None:
    of = runs().assign(fid_curve=lambda table: 10 * table["fid"], curve_extractor="quick-classifier@1")
    on_the_way = traces(of).rename(columns={"fid": "fid_curve"}).assign(fid=None)
    on_the_way["fid_curve"] *= 10
    found = table(of, on_the_way)
    assert found is not None
    shown = found.set_index("method")
    assert list(shown.index) == ["slow", "quick", "bad"]
    assert not any(name.startswith("FID") for name in found)
    assert shown.loc["slow", "curve FID at 100 steps"].startswith("55 ±")
    assert shown.loc["bad", "curve FID at 2.2 s"] == "380"
    assert "told by curve FID, of the curve extractor: it says nothing next to FID" in budget.rules(of)
    assert budget.rules(runs()) == budget.RULES
