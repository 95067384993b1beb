"""Runs that were made from different data, or measured by different extractors, enter no table together."""

import json
from pathlib import Path
from typing import Any

import pytest

from lipbench.api import running
from lipbench.disk.store import RunFolder
from lipbench.reports import suites
from lipbench.reports.reading import frame
from tests.reports import random_runs
from tests.reports.builder import table

A, B = "a" * 64, "b" * 64
pytestmark = pytest.mark.usefixtures("no_pictures")


def write(root: Path, runs: dict[tuple[str, int], dict[str, Any]], noise: float | None = None) -> dict[str, RunFolder]:
    """Finished runs by method and seed, with what each result says beside its FID."""
    made = {
        place: {
            "status": "done",
            "trace": [{"step": 6, "fid": own.get("fid", 3.0)}],
            "result": {"step": 6, "fid": 3.0} | own,
            "device": "cpu",
        }
        for place, own in runs.items()
    }
    random_runs.write({"runs": made, "added": {}, "noise": noise, "cpu": True}, root)
    return {f"{method}{seed}": folder(root, (method, seed)) for method, seed in runs}


def folder(root: Path, place: tuple[str, int]) -> RunFolder:
    return RunFolder(root / "runs" / random_runs.run_id(place))


def basis_of_yardsticks(root: Path, **basis: str) -> None:
    (path,) = (root / "yardsticks").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | basis))


def test_runs_from_different_pictures_stand_in_sections_apart(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ("gn", 0): {"fid": 1.0, "pictures": A},
            ("gn", 1): {"fid": 2.0, "pictures": A},
            ("gp", 0): {"fid": 7.0, "pictures": A},
            ("gn", 2): {"fid": 100.0, "pictures": B},
        },
    )
    report = running.report(tmp_path, baseline="gn")
    first, second = sorted(report.sections, key=lambda section: section.facts.title)
    assert first.facts.title.endswith("protocol digits (pictures aaaaaaaaaa)")
    assert second.facts.title.endswith("protocol digits (pictures bbbbbbbbbb)")
    assert list(first.summary["FID"]) == ["1.5 ± 6.4", "7.00"]
    assert list(second.summary["FID"]) == ["100"]
    assert "other runs of this protocol and data set were made from something else" in first.facts.caption
    (problem,) = report.problems
    assert "the runs differ in pictures, and stand in sections apart" in problem
    assert random_runs.run_id(("gn", 2)) in problem
    assert problem in report.page.read_text()
    assert len(list((report.page.parent / "tables").glob("summary-*.csv"))) == 2
    assert set(report.runs["pictures"]) == {A, B}


def test_runs_that_do_not_differ_keep_their_comparison(tmp_path: Path) -> None:
    write(tmp_path, {("gn", 0): {"pictures": A, "extractor": "e"}, ("gn", 1): {"pictures": A, "extractor": "e"}})
    frames = frame.read(tmp_path)
    expected = next(iter(random_runs.planned().values())).cell.comparison_id
    assert set(frames.runs["comparison_id"]) == {expected}
    assert not frames.problems


def test_a_run_that_says_nothing_is_pooled_where_only_one_thing_is_known(tmp_path: Path) -> None:
    write(tmp_path / "one", {("gn", 0): {"pictures": A}, ("gn", 1): {}})
    assert len(running.report(tmp_path / "one").sections) == 1
    write(tmp_path / "two", {("gn", 0): {"pictures": A}, ("gn", 1): {}, ("gn", 2): {"pictures": B}})
    titles = [section.facts.title for section in running.report(tmp_path / "two").sections]
    assert sorted(title.partition("(")[2] for title in titles) == [
        "pictures aaaaaaaaaa)",
        "pictures bbbbbbbbbb)",
        "pictures not known)",
    ]


@pytest.mark.parametrize("key", ["extractor", "curve_extractor"])
def test_another_extractor_parts_runs_too(tmp_path: Path, key: str) -> None:
    write(tmp_path, {("gn", 0): {key: "digits-cnn"}, ("gn", 1): {key: "inception"}})
    assert len(running.report(tmp_path).sections) == 2


def test_an_unfinished_run_is_told_by_what_it_was_planned_with(tmp_path: Path) -> None:
    write(tmp_path, {("gn", 0): {"pictures": A}})
    given = {"status": "interrupted", "trace": [{"step": 2, "fid": 900.0}], "result": None, "device": "cpu"}
    random_runs.write({"runs": {("gn", 1): given}, "added": {}, "noise": None, "cpu": True}, tmp_path)
    folder(tmp_path, ("gn", 1)).write_json("basis.json", {"pictures": B, "extractor": "e"})
    frames = frame.read(tmp_path)
    assert frames.runs["comparison_id"].nunique() == 2
    assert frames.traces["comparison_id"].nunique() == 2


def test_yardsticks_stand_beside_the_runs_of_the_same_pictures_alone(tmp_path: Path) -> None:
    write(tmp_path, {("gn", 0): {"pictures": A}, ("gn", 1): {"pictures": B}}, noise=9.0)
    basis_of_yardsticks(tmp_path, pictures=B)
    frames = frame.read(tmp_path)
    noise = dict(zip(frames.runs["pictures"], frames.runs["fid_noise"].fillna(0), strict=True))
    assert noise == {A: 0, B: 9.0}
    assert len(frames.yardsticks) == 1


def test_yardsticks_of_none_of_the_runs_are_left_out_with_a_note(tmp_path: Path) -> None:
    write(tmp_path, {("gn", 0): {"pictures": A}}, noise=9.0)
    basis_of_yardsticks(tmp_path, pictures=B)
    frames = frame.read(tmp_path)
    assert frames.runs["fid_noise"].isna().all()
    assert not frames.yardsticks
    (problem,) = frames.problems
    assert "were not made from what its runs were made from" in problem


def test_a_table_of_runs_from_other_pictures_is_added_apart(tmp_path: Path) -> None:
    write(tmp_path / "here", {("gn", 0): {"fid": 1.0, "pictures": A}})
    write(tmp_path / "there", {("gn", 1): {"fid": 9.0, "pictures": B}})
    table = running.report(tmp_path / "there").page.with_name("runs.csv")
    sections = running.report(tmp_path / "here", add=table).sections
    assert sorted(list(each.summary["FID"]) for each in sections) == [["1.00"], ["9.00"]]


def test_a_table_without_pictures_is_added_to_the_one_comparison(tmp_path: Path) -> None:
    write(tmp_path / "here", {("gn", 0): {"fid": 1.0, "pictures": A}})
    write(tmp_path / "there", {("gn", 1): {"fid": 9.0}})
    table = running.report(tmp_path / "there").page.with_name("runs.csv")
    (section,) = running.report(tmp_path / "here", add=table).sections
    assert list(section.summary["n"]) == ["2"]


def test_a_data_set_whose_runs_are_parted_counts_in_no_ranking_over_data_sets() -> None:
    rows = [
        {"method": method, "dataset": dataset, "fid": 1.0, "comparison_id": f"{dataset}-{part}", "part": part}
        for method in ("gn", "gp")
        for dataset, part in (("one", ""), ("two", ""), ("three", "pictures a"), ("three", "pictures b"))
    ]
    (suite,) = suites.suites(table(rows))
    assert suite.datasets == ["one", "two"]
    assert "three is left out: its runs were not made from one thing." in suite.left_out
