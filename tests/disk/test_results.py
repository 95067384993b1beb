"""The results folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from lipbench.api import running
from lipbench.disk.results import check_results, find_run, prepare_results, run_folders
from lipbench.disk.store import RunFolder
from lipbench.errors import RequestError, StoreError


def test_a_results_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written to: .*; choose another with --results"):
        prepare_results(tmp_path / "file" / "results")


def test_a_run_is_found_by_the_beginning_of_its_name_if_only_one_has_it(tmp_path: Path) -> None:
    for name in ("gn-1", "gn-2", "sn-1"):
        RunFolder(tmp_path / "runs" / name).create("{}", {})
    assert find_run(tmp_path, "sn").id == "sn-1"
    assert find_run(tmp_path, str(tmp_path / "runs" / "gn-2")).id == "gn-2"
    with pytest.raises(StoreError, match="the beginning of 2 runs: gn-1, gn-2"):
        find_run(tmp_path, "gn")
    with pytest.raises(StoreError, match="there is no run 'wc'.*or its beginning: gn-1; gn-2; "):
        find_run(tmp_path, "wc")


def test_asking_for_runs_where_there_are_none_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there are no runs in .*lipbench run"):
        run_folders(tmp_path)


def test_a_run_of_a_results_folder_without_runs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(StoreError, match="there is no run 'gn'.*there are none yet"):
        find_run(tmp_path, "gn")


LONG = "n" * 5000


@pytest.mark.parametrize("name", [LONG, "a\0b", os.fsdecode(b"\xff"), "a\nb"])
def test_a_name_that_can_be_no_runs_is_answered_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(StoreError, match="there is no run"):
        find_run(tmp_path, name)


def test_a_path_that_can_be_no_folders_is_refused(tmp_path: Path) -> None:
    for use in (run_folders, check_results, prepare_results):
        with pytest.raises(StoreError, match="results folder .* cannot be .*: File name too long"):
            use(tmp_path / LONG)
    with pytest.raises(RequestError, match="report folder .* cannot be made: File name too long"):
        running.report(tmp_path / LONG)
    places: list[dict[str, Any]] = [{"results": "a\0b"}, {"out": "a\0b"}, {"add": "a\0b"}]
    for arguments in places:
        with pytest.raises(RequestError, match="expected the path"):
            running.report(**arguments)


def test_what_is_no_run_among_the_runs_is_passed_over(tmp_path: Path) -> None:
    RunFolder(tmp_path / "runs" / "gn-1").create("{}", {})
    (tmp_path / "runs" / "a file").touch()
    (tmp_path / "runs" / "loop").symlink_to("loop")
    (tmp_path / "runs" / "nowhere").symlink_to("missing")
    assert [folder.id for folder in run_folders(tmp_path)] == ["gn-1"]


def test_a_folder_of_runs_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(StoreError, match="cannot be read: Permission denied; give yourself the permission"):
        run_folders(tmp_path)
