"""The folder of a report."""

import json
from pathlib import Path

import pytest

from lipbench.api import running
from lipbench.errors import RequestError, StoreError
from lipbench.reports import folder, page

HEADER = "method,dataset,seed,protocol,fid"


@pytest.fixture
def one(tmp_path: Path) -> Path:
    path = tmp_path / "one.csv"
    path.write_text(f"{HEADER}\na,old,0,p,1\nb,old,0,p,2\n")
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.csv"
    path.write_text(f"{HEADER}\na,new,0,p,1\nb,new,0,p,2\n")
    return path


def names(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def test_nothing_of_an_earlier_report_stays_and_everything_else_does(one: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running.report(tmp_path, out, add=one)
    (out / "tables" / "mine.tex").write_text("mine")
    (out / "notes.txt").write_text("mine")
    report = running.report(tmp_path, out, add=other)
    assert not any("old" in name for name in names(out))
    assert {"tables/mine.tex", "notes.txt"} <= names(out)
    assert any("1 files that this report did not write, such as tables/mine.tex" in told for told in report.problems)
    running.report(tmp_path, tmp_path / "fresh", add=other)
    assert names(out) - {"tables/mine.tex", "notes.txt"} == names(tmp_path / "fresh")
    assert all(
        path.is_file() for each in report.sections for path in [picture.file("png") for picture in each.pictures]
    )


def test_tables_of_a_version_without_a_list_are_kept_and_said(one: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running.report(tmp_path, out, add=one)
    (out / folder.LIST).unlink()
    assert "may be of an earlier report" in running.report(tmp_path, out, add=other).problems[-1]
    assert any("old" in name for name in names(out))


def test_an_error_in_the_middle_leaves_the_earlier_report_whole(
    one: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    running.report(tmp_path, out, add=one)
    before = {name: (out / name).read_bytes() for name in names(out)}

    def fail(*given: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(page, "_render", fail)
    for place in (out, tmp_path / "fresh"):
        with pytest.raises(KeyboardInterrupt):
            running.report(tmp_path, place, add=other)
    assert {name: (out / name).read_bytes() for name in names(out)} == before
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize("listed", ["{", "3", '["../one.csv", "/etc/passwd", "tables/../../one.csv", "tables"]'])
def test_a_list_removes_nothing_but_tables_and_figures(listed: str, one: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running.report(tmp_path, out, add=one)
    (out / folder.LIST).write_text(listed)
    running.report(tmp_path, out, add=other)
    assert one.exists() and any("old" in name for name in names(out))
    assert all("new" in name for name in json.loads((out / folder.LIST).read_text()))


def test_the_working_folder_and_the_results_folder_may_hold_the_report(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {path: path.read_bytes() for path in (results / "runs").rglob("*.json")}
    monkeypatch.chdir(results)
    for place in (Path(), results):
        running.report(results, place)
    assert len(running.report(results, "report").runs) == 4
    assert {path: path.read_bytes() for path in runs} == runs


def test_a_report_among_runs_is_refused(results: Path) -> None:
    run = next((results / "runs").iterdir())
    for place in (results / "runs", run, run / "report", results / "runs" / "report"):
        with pytest.raises(RequestError, match="is where runs are kept; expected one apart from them"):
            running.report(results, place)
    with pytest.raises(RequestError, match="is where runs are kept"):
        folder.check(results / "runs", results / "elsewhere")


def test_a_file_in_the_place_of_a_report_is_refused_and_kept(one: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"one.csv' cannot be made: .*; choose one by --out"):
        running.report(tmp_path, one, add=one)
    (tmp_path / "out" / "index.html").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be written to: Is a directory"):
        running.report(tmp_path, tmp_path / "out", add=one)
    assert one.read_text().startswith(HEADER)
