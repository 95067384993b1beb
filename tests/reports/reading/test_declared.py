"""Measures of plugins, from what a run declares to the page."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from lipbench.api import running
from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError
from lipbench.reports.reading import frame
from lipbench.reports.reading.columns import NAMES
from lipbench.screen import runs as screen
from tests.conftest import MakeRun

PRECISION = {"title": "Precision", "better": "higher", "low": 0, "high": 1, "definition": "The share of good ones."}
ODD = {"title": "FID", "unit": "", "better": "", "low": None, "high": None, "definition": ""}
pytestmark = pytest.mark.usefixtures("no_pictures")


def done(folder: RunFolder, measures: Any, **values: Any) -> RunFolder:
    """Finish a run, with values of measures at each of two evaluations."""
    folder.write_json("environment.json", {"device": "cpu"} | ({"measures": measures} if measures else {}))
    for step in (3, 6):
        measured = {name: value for name, value in values.items() if step == 6 or name != "at_end"}
        folder.evaluations.append({"step": step, "fid": 9.0, "seconds_train": step / 10} | measured)
    result = {"status": "done", "step": 6, "fid": 9.0, "seconds_train": 0.6, "trace": folder.evaluations.signature()}
    folder.write_json("result.json", result | values)
    return folder


@pytest.fixture
def two(make_run: MakeRun, tmp_path: Path) -> Path:
    done(make_run("gn"), {"precision": PRECISION, "odd": ODD}, precision=0.5, odd=-7.0)
    done(make_run("gp"), {"precision": PRECISION}, precision=0.75)
    done(make_run("wc"), None)
    return tmp_path / "results"


def test_they_stand_after_the_columns_of_every_run_and_where_people_look(two: Path) -> None:
    report = running.report(two)
    assert report.problems == []
    table = pd.read_csv(two / "report" / "runs.csv").set_index("method")
    assert list(report.runs.columns) == [*NAMES, "odd", "precision"]
    pd.testing.assert_frame_equal(pd.read_parquet(two / "report" / "runs.parquet"), report.runs)
    assert table["precision"].fillna(-1).to_dict() == {"gn": 0.5, "gp": 0.75, "wc": -1}
    (section,) = report.sections
    # A title that is taken would hide another measure.
    assert list(section.shown.columns)[-2:] == ["odd", "Precision"]
    assert dict(zip(section.shown["method"], section.shown["Precision"], strict=True)) == {
        "gn": "0.500", "gp": "0.750", "wc": "–",
    }  # fmt: skip
    assert section.runs[0]["precision"] == "0.5"
    texts = {picture.name: picture.text for picture in section.pictures}
    assert texts["precision-steps"].startswith("Precision against generator steps, a line a method")
    assert texts["precision-steps"].endswith("at the end: gn 0.500, gp 0.750.")
    data = pd.read_csv(section.pictures[[*texts].index("precision-steps")].file("csv"))
    assert data[["method", "x", "mean"]].to_numpy().tolist() == [
        ["gn", 3, 0.5], ["gn", 6, 0.5], ["gp", 3, 0.75], ["gp", 6, 0.75],
    ]  # fmt: skip


def test_a_terminal_shows_them_where_it_is_wide_enough(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = running.report(two)
    for width in (30, 200):
        screen.show_report(Console(width=width, file=None), report)
    narrow, wide = capsys.readouterr().out.split("index.html")[:2]
    assert "FID" in narrow
    assert "Also measured, on the page: Precision" in narrow
    assert "Precision" in wide
    assert "Also measured" not in wide


def test_what_is_measured_at_the_end_alone_has_no_curve(make_run: MakeRun, tmp_path: Path) -> None:
    done(make_run("gn"), {"at_end": {}}, at_end=3.0)
    (section,) = running.report(tmp_path / "results").sections
    assert list(section.shown["at_end"]) == ["3.00"]
    assert not [picture.name for picture in section.pictures if picture.name.startswith("at_end")]


def test_a_number_that_no_run_declares_is_no_column(make_run: MakeRun, tmp_path: Path) -> None:
    done(make_run("gn"), None, precision=0.5)
    assert list(running.report(tmp_path / "results").runs.columns) == NAMES


def test_a_measure_that_no_run_has_yet_is_no_column(make_run: MakeRun, tmp_path: Path) -> None:
    done(make_run("gn"), {"precision": PRECISION}, precision=None)
    assert list(running.report(tmp_path / "results").runs.columns) == NAMES


def test_two_declarations_of_one_column_are_said_and_the_first_holds(make_run: MakeRun, tmp_path: Path) -> None:
    first, second = sorted([make_run("gn"), make_run("gp")], key=lambda folder: folder.id)
    done(first, {"p": PRECISION}, p=0.5)
    done(second, {"p": {"title": "p-value", "better": "lower"}}, p=7.0)
    frames = frame.read(tmp_path / "results")
    assert [column.title for column in frames.columns if column.name == "p"] == ["Precision"]
    (problem,) = frames.problems
    assert problem.startswith(f"p is declared otherwise by {second.id} than by {first.id}, as which it is shown")


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ([1], "measures of environment.json are damaged (not an object) and left out"),
        ({"p": 3}, "measure 'p' of environment.json is damaged (3, expected an object) and left out"),
        ({"fid": PRECISION}, "measure 'fid' of environment.json is damaged (the name is 'fid', expected one that"),
    ],
)
def test_a_damaged_declaration_is_said_and_left_out(
    make_run: MakeRun, tmp_path: Path, measures: Any, message: str
) -> None:
    done(make_run("gn"), measures)
    frames = frame.read(tmp_path / "results")
    assert [column.name for column in frames.columns] == NAMES
    assert list(frames.runs["fid"]) == [9.0]
    (problem,) = frames.problems
    assert message in problem


def test_what_is_no_value_of_them_is_said_with_all_else_that_is_wrong(make_run: MakeRun, tmp_path: Path) -> None:
    folder = done(make_run("gn"), {"precision": PRECISION}, precision=3, cos="low")
    problems = frame.read(tmp_path / "results", [csv(tmp_path, "a,d,0,p,1,1")]).problems
    assert f"{folder.id} is left out" in problems[0]
    for wrong in ("precision is 3, expected from 0 to 1", "cos is 'low', expected a number"):
        assert wrong in problems[0]
    folder.file("result.json").unlink()
    frames = frame.read(tmp_path / "results")
    assert frames.traces.empty
    assert len(frames.problems) == 2
    assert "step 3 of trace.jsonl is damaged (cos is 'low', expected a number; precision is 3" in frames.problems[0]


def csv(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "theirs.csv"
    path.write_text("\n".join(["method,dataset,seed,protocol,fid,Precision", *lines]) + "\n")
    return path


def test_a_table_that_is_added_may_have_them(two: Path, tmp_path: Path) -> None:
    runs = frame.read(two, [csv(tmp_path, "theirs,cifar10,0,p,1,0.25")]).runs
    assert runs.set_index("method").loc["theirs", "precision"] == 0.25
    with pytest.raises(RequestError) as caught:
        frame.read(two, [csv(tmp_path, "theirs,cifar10,x,p,1,2")])
    for wrong in ("line 2: seed is 'x', expected a whole number", "line 2: precision is 2, expected from 0 to 1"):
        assert wrong in str(caught.value)


def test_measures_that_are_installed_need_no_run_that_declares_them(tmp_path: Path) -> None:
    path = csv(tmp_path, "theirs,cifar10,0,p,1,0.25")
    once = running.report(tmp_path, tmp_path / "once", add=path)
    assert list(once.runs["precision"]) == [0.25]
    assert list(once.runs.columns) == [*NAMES, "precision"]
    again = running.report(tmp_path, tmp_path / "again", add=tmp_path / "once" / "runs.csv")
    pd.testing.assert_frame_equal(once.runs, again.runs)
    with pytest.raises(RequestError, match="precision is 1.5, expected from 0 to 1"):
        frame.read(tmp_path, [csv(tmp_path, "theirs,cifar10,0,p,1,1.5")])


def test_of_measures_that_nothing_declares_a_table_says_that_they_are_left_out(tmp_path: Path) -> None:
    path = csv(tmp_path, "theirs,cifar10,0,p,1,0.25")
    path.write_text(path.read_text().replace("Precision", "sharpness"))
    assert any(
        "unknown columns are left out: sharpness" in problem for problem in frame.read(tmp_path, [path]).problems
    )
