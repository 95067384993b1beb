"""Every method against a baseline, as the page shows it."""

from pathlib import Path

import pandas as pd
import pytest

from lipbench.api import running
from lipbench.errors import UnknownNameError
from lipbench.reports.baseline import against


def runs(**columns: dict[str, list[float]]) -> pd.DataFrame:
    rows = []
    for name, values in columns.items():
        for method, numbers in values.items():
            rows += [
                {"method": method, "seed": seed, "pairing": "lipbench", "status": "done", name: number}
                for seed, number in enumerate(numbers)
            ]
    return pd.DataFrame(rows).reindex(columns=["method", "seed", "pairing", "status", "fid", "sample_w1", "cos"])


def test_a_lower_fid_is_better_and_a_higher_cosine_is() -> None:
    numbers = {"a": [1.0, 1.1, 0.9, 1.05, 0.95], "b": [3.0, 3.2, 3.1, 2.9, 3.05]}
    for name, verdict in (("fid", "better"), ("cos", "worse")):
        found = against(runs(**{name: numbers}), "b")
        assert found is not None
        assert found["verdict"].tolist() == [verdict]
        assert found.columns[1] == f"{name.upper() if name == 'fid' else name} − b's"
        assert found.iloc[0, 1].startswith("-2.05 ±")


def test_one_seed_tells_nothing() -> None:
    found = against(runs(fid={"a": [1.0], "b": [3.0]}), "b")
    assert found is not None
    assert found[["seeds", "p (Holm)", "verdict"]].to_numpy().tolist() == [["1", "–", "cannot tell with 1 seed"]]


def test_without_the_baseline_or_anything_measured_there_is_no_table() -> None:
    assert against(runs(fid={"a": [1.0]}), "b") is None
    assert against(runs(fid={"a": [1.0]}), "a") is None
    assert against(runs(fid={"a": [float("nan")], "b": [float("nan")]}), "b") is None


def test_the_page_and_its_tables_say_it(results: Path) -> None:
    report = running.report(results, baseline="wc")
    page = report.page.read_text()
    assert "Against wc: better: none; worse: none; not told apart: gn." in page
    assert "Against the baseline" in page
    names = sorted(
        path.name.partition("-digits")[0] + path.suffix for path in (results / "report" / "tables").iterdir()
    )
    assert [name for name in names if name.startswith("against")] == ["against.csv", "against.md", "against.tex"]


def test_a_baseline_that_was_not_run_is_refused_with_those_that_were(results: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown baseline 'gp'; expected one of: gn, wc"):
        running.report(results, baseline="gp")
