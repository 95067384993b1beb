"""The results folder."""

from pathlib import Path

import pytest

from lipbench.errors import StoreError
from lipbench.results import find_run, prepare_results, run_folders
from lipbench.store import RunFolder


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
    with pytest.raises(StoreError, match="there is no run 'wc'.*lists the 3 that"):
        find_run(tmp_path, "wc")


def test_asking_for_runs_where_there_are_none_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there are no runs in .*lipbench run"):
        run_folders(tmp_path)


def test_the_command_that_lists_the_runs_is_quoted(tmp_path: Path) -> None:
    results = tmp_path / "my results"
    (results / "runs").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"`lipbench status --results '/.*/my results'` lists the 0 that there are"):
        find_run(results, "gn")
