"""The run folder."""

import json
import math
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench import store
from lipbench.errors import StoreError
from lipbench.store import RunFolder, Status


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "x")
    made.create("{}", {})
    return made


def hold(path: str, ready: str) -> None:
    with RunFolder(Path(path)).lock() as mine:
        assert mine
        Path(ready).touch()
        while True:
            pass


def test_a_folder_goes_through_its_states(folder: RunFolder) -> None:
    assert folder.status() is Status.INTERRUPTED
    with folder.lock() as mine:
        assert mine
        assert folder.status() is Status.RUNNING
    folder.record_failure("error", "why")
    assert folder.status() is Status.FAILED
    folder.write_json("result.json", {"status": "diverged"})
    assert folder.status() is Status.DIVERGED


def test_one_process_holds_a_folder_and_a_killed_one_holds_nothing(folder: RunFolder, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    process = get_context("spawn").Process(target=hold, args=(str(folder.path), str(ready)))
    process.start()
    while not ready.exists():
        assert process.is_alive()
    with folder.lock() as mine:
        assert not mine
    assert folder.is_locked()
    process.kill()
    process.join()
    with folder.lock() as mine:
        assert mine


def test_failures_are_counted(folder: RunFolder) -> None:
    folder.record_failure("error", "first")
    folder.record_failure("killed", "second")
    assert folder.read_json("error.json") == {"kind": "killed", "message": "second", "attempt": 2, "traceback": None}


def test_a_number_that_is_not_finite_is_written_as_missing(folder: RunFolder) -> None:
    folder.append_trace({"step": 1, "fid": math.nan, "kid": math.inf, "list": [1.0, -math.inf]})
    assert folder.trace() == ([{"step": 1, "fid": None, "kid": None, "list": [1.0, None]}], None)


def test_a_torn_last_line_of_the_trace_is_named_and_left_out(folder: RunFolder) -> None:
    folder.append_trace({"step": 1})
    with folder.file("trace.jsonl").open("a") as file:
        file.write('{"step": 2, "fi')
    records, problem = folder.trace()
    assert records == [{"step": 1}]
    assert problem is not None
    assert "line 2 of trace.jsonl is damaged" in problem


@given(st.binary())
def test_any_bytes_in_a_trace_are_read_or_named_and_never_crash(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    folder.file("trace.jsonl").write_bytes(content)
    records, problem = folder.trace()
    assert problem is not None or len(records) == len(content.decode(errors="replace").splitlines())


def test_rewinding_drops_later_evaluations(folder: RunFolder) -> None:
    for step in (1, 2, 3):
        folder.append_trace({"step": step})
    folder.rewind_trace(2)
    assert [record["step"] for record in folder.trace()[0]] == [1, 2]


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.file("x.json")
    store.write_atomically(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        store.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert sorted(file.name for file in folder.path.iterdir()) == ["cell.json", "x.json"]


def test_setting_aside_keeps_everything_and_clears_the_way(folder: RunFolder) -> None:
    folder.record_failure("error", "why")
    folder.append_trace({"step": 1})
    folder.set_aside()
    folder.record_failure("error", "again")
    folder.set_aside()
    assert folder.status() is Status.INTERRUPTED
    assert json.loads(folder.file("attempt-1/error.json").read_text())["message"] == "why"
    assert json.loads(folder.file("attempt-2/error.json").read_text())["message"] == "again"


def test_a_changed_description_is_noticed(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match="was changed: its digest is not the one in the folder's name"):
        folder.cell_text()


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_damaged_file_is_named_with_the_cure(folder: RunFolder, content: str) -> None:
    folder.file("result.json").write_text(content)
    with pytest.raises(StoreError, match=r"result.json' is damaged .*; remove it and run again"):
        folder.read_json("result.json")
