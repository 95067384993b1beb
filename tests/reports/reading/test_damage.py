"""A damaged file is named, left out, and hides no other."""

import re
from pathlib import Path

import pytest

from lipbench.api import running
from lipbench.errors import StoreError
from lipbench.reports.reading import frame, yardsticks
from tests.conftest import MakeRun


def test_a_damaged_folder_is_named_and_hides_no_other(make_run: MakeRun, results: Path) -> None:
    make_run("sn", finished=True).file("cell.json").write_text("{")
    make_run("gp", finished=True).file("result.json").write_text("{")
    with make_run("gp[weight=1]", finished=True).file("trace.jsonl").open("a") as file:
        file.write('{"step": 9')
    report = running.report(results)
    assert len(report.runs) == 5
    assert len(report.problems) == 3
    page = report.page.read_text()
    for part in ("cell.json", "result.json", "trace.jsonl is not what the run has written"):
        assert part in page


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("fid", "low", "fid is 'low', expected a number"),
        ("seconds_per_step", True, "seconds_per_step is True, expected a number"),
        ("step", 1.5, "step is 1.5, expected a whole number"),
        ("features", "many", "features is 'many', expected a whole number"),
        ("best_step", 10**30, "expected a whole number"),
        ("extractor", 7, "extractor is 7, expected a text"),
    ],
)
def test_a_result_of_another_type_is_named_and_left_out(
    make_run: MakeRun, tmp_path: Path, key: str, value: object, reason: str
) -> None:
    make_run("gn", finished=True)
    damaged = make_run("wc", finished=True)
    damaged.write_json("result.json", (damaged.read_json("result.json") or {}) | {key: value})
    frames = frame.read(tmp_path / "results")
    assert list(frames.runs["method"]) == ["gn"]
    (problem,) = frames.problems
    assert problem.startswith(f"{damaged.id} is left out")
    assert reason in problem


def test_evaluations_that_are_not_numbers_are_named_and_not_drawn(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    for step, fid in ((3, 1.0), (6, 2.0), (9, "low"), (12, [1])):
        folder.evaluations.append({"step": step, "fid": fid})
    report = running.report(tmp_path / "results")
    assert [re.search(r"step (\d+) of trace.jsonl is damaged", problem)[1] for problem in report.problems] == [
        "9",
        "12",
    ]
    assert len(frame.read(tmp_path / "results").traces) == 2


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n and no more"])
def test_samples_that_are_no_picture_are_named_and_left_out(results: Path, content: bytes) -> None:
    broken = next((results / "runs").glob("wc-digits-s0*")) / "samples.png"
    broken.write_bytes(content)
    report = running.report(results)
    (problem,) = report.problems
    assert str(broken) in problem
    assert re.findall(r"(gn|wc), seed (\d), step 6", report.page.read_text()) == [("gn", "0")]


@pytest.mark.parametrize("content", ['{"versions": 3}', '{"argv": 1}', "{", "[]"])
def test_a_damaged_environment_is_named(make_run: MakeRun, tmp_path: Path, content: str) -> None:
    folder = make_run("gn")
    folder.file("environment.json").write_text(content)
    (problem,) = running.report(tmp_path / "results").problems
    assert "environment.json' is damaged" in problem


NUMBERS = '{"fid": 4.8, "samples": 719}'


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"real": 1, "noise": 2}',
        f'{{"real": {NUMBERS}}}',
        f'{{"real": {NUMBERS}, "noise": {NUMBERS.replace("4.8", "null")}}}',
        f'{{"real": {NUMBERS}, "noise": {NUMBERS.replace("4.8", "[]")}}}',
    ],
)
def test_damaged_yardsticks_are_named_with_a_cure(tmp_path: Path, content: str) -> None:
    (tmp_path / "yardsticks").mkdir()
    (tmp_path / "yardsticks" / "digits-1.json").write_text(content)
    with pytest.raises(StoreError, match=r"digits-1.json' is damaged \(.*; remove it and run again"):
        yardsticks.read(tmp_path, "digits-1")
