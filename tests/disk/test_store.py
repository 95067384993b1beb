"""The run folder."""

import json
import math
import os
import shutil
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.disk import files
from lipbench.disk.claims import ClaimLostError
from lipbench.disk.store import RunFolder, Status
from lipbench.disk.trace import Trace
from lipbench.errors import StoreError


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "x")
    made.create("{}", {})
    return made


def hold(path: str, ready: str) -> None:
    with RunFolder(Path(path)).claimed() as mine:
        assert mine
        Path(ready).touch()
        while True:
            pass


def test_a_folder_goes_through_its_states(folder: RunFolder) -> None:
    assert folder.status() is Status.INTERRUPTED
    with folder.claimed() as mine:
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
    with folder.claimed() as mine:
        assert not mine
    assert folder.holder() is not None
    process.kill()
    process.join()
    with folder.claimed() as mine:
        assert mine


def test_failures_are_counted(folder: RunFolder) -> None:
    folder.record_failure("error", "first")
    folder.record_failure("killed", "second")
    assert folder.read_json("error.json") == {"kind": "killed", "message": "second", "attempt": 2, "traceback": None}


def test_a_number_that_is_not_finite_is_written_as_missing(folder: RunFolder) -> None:
    folder.evaluations.append({"step": 1, "fid": math.nan, "kid": math.inf, "list": [1.0, -math.inf]})
    assert folder.trace() == ([{"step": 1, "fid": None, "kid": None, "list": [1.0, None]}], None)


def test_a_torn_last_line_of_the_trace_is_named_and_left_out(folder: RunFolder) -> None:
    folder.evaluations.append({"step": 1})
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
    for step in (1, 2):
        folder.evaluations.append({"step": step})
    known = folder.evaluations.signature()
    folder.evaluations.append({"step": 3})
    folder.evaluations.rewind(known)
    assert [record["step"] for record in folder.trace()[0]] == [1, 2]


def test_a_trace_that_does_not_begin_with_what_a_checkpoint_knows_is_left_as_it_is(folder: RunFolder) -> None:
    folder.evaluations.append({"step": 1})
    known = folder.evaluations.signature()
    other = folder.file("trace.jsonl").read_text().replace("1", "2")
    folder.file("trace.jsonl").write_text(other)
    with pytest.raises(StoreError, match="does not begin with the 1 evaluations that the checkpoint knows"):
        folder.evaluations.rewind(known)
    assert folder.file("trace.jsonl").read_text() == other


@pytest.mark.parametrize("name", ["result.json", "error.json", "environment.json"])
def test_a_file_of_another_run_is_not_taken_for_this_ones(folder: RunFolder, tmp_path: Path, name: str) -> None:
    other = RunFolder(tmp_path / "another")
    other.path.mkdir()
    other.write_json(name, {"status": "done"})
    folder.file(name).write_bytes(other.file(name).read_bytes())
    with pytest.raises(StoreError, match=r"damaged \(of run another\)"):
        folder.read_json(name)


def test_evaluations_of_another_run_and_doubled_ones_are_named_and_left_out(folder: RunFolder) -> None:
    folder.evaluations.append({"step": 1})
    folder.file("trace.jsonl").write_text(2 * folder.file("trace.jsonl").read_text())
    assert folder.trace() == (
        [{"step": 1}],
        f"{folder.id}: line 2 of trace.jsonl is damaged (step 1 after step 1) and left out",
    )
    Trace(folder.file("trace.jsonl"), "another").append({"step": 2})
    records, problem = folder.trace()
    assert records == [{"step": 1}]
    assert problem is not None
    assert "of run another" in problem


@pytest.mark.parametrize("change", ["missing", "empty", "doubled", "of another run", "one number changed"])
def test_of_a_finished_run_no_other_evaluations_are_taken_than_those_that_it_made(
    folder: RunFolder, change: str
) -> None:
    path = folder.file("trace.jsonl")
    folder.evaluations.append({"step": 1, "fid": 2.5})
    folder.write_json("result.json", {"status": "done", "step": 1, "trace": folder.evaluations.signature()})
    assert folder.trace() == ([{"step": 1, "fid": 2.5}], None)
    text = path.read_text()
    path.unlink()
    if change == "of another run":
        Trace(path, "another").append({"step": 1, "fid": 2.5})
    elif change != "missing":
        path.write_text({"empty": "", "doubled": 2 * text, "one number changed": text.replace("2.5", "1.5")}[change])
    records, problem = folder.trace()
    assert records == []
    assert problem is not None
    assert "is not what the run has written" in problem


def test_a_child_that_a_plugin_forks_holds_nothing_and_gives_nothing_back(folder: RunFolder) -> None:
    with folder.claimed() as mine:
        assert mine
        if (child := os.fork()) == 0:
            try:
                folder.write("result.json", "{}")
            except ClaimLostError:
                os._exit(3)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        assert folder.holder() is not None
        folder.check_claim()
    assert {path.name for path in folder.path.iterdir()} == {"cell.json", "claim.1"}


def test_who_asks_for_what_he_holds_gets_nothing_and_loses_nothing(folder: RunFolder) -> None:
    with folder.claimed() as mine:
        with folder.claimed() as again:
            assert (mine, again) == (True, False)
        folder.file("claim.1").unlink()
        with pytest.raises(ClaimLostError):
            folder.write("result.json", "{}")


def test_a_process_whose_claim_was_taken_over_writes_nothing_more(folder: RunFolder) -> None:
    with folder.claimed():
        folder.evaluations.append({"step": 1})
        folder.file("claim.1").unlink()
        with RunFolder(folder.path).claimed() as mine:
            assert mine
            for write in (
                lambda: folder.write("checkpoint.pt", b""),
                lambda: folder.write_json("result.json", {"status": "done"}),
                lambda: folder.record_failure("error", "why"),
                lambda: folder.evaluations.append({"step": 2}),
                lambda: folder.evaluations.clear(),
                lambda: folder.set_aside(),
            ):
                with pytest.raises(ClaimLostError, match="no longer held by this process"):
                    write()
    assert sorted(path.name for path in folder.path.iterdir()) == ["cell.json", "claim.1", "trace.jsonl"]
    assert folder.trace()[0] == [{"step": 1}]


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.file("x.json")
    files.write_atomically(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device; free space"):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert sorted(file.name for file in folder.path.iterdir()) == ["cell.json", "x.json"]


def test_setting_aside_keeps_everything_and_clears_the_way(folder: RunFolder) -> None:
    folder.record_failure("error", "why")
    folder.evaluations.append({"step": 1})
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


def test_setting_aside_stops_where_the_claim_is_lost(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    move = shutil.move
    for name in ("trace.jsonl", "log.txt"):
        folder.file(name).touch()

    def lose(source: Path, place: Path) -> None:
        move(source, place)
        next(folder.path.glob("claim.*")).unlink()

    monkeypatch.setattr(shutil, "move", lose)
    with folder.claimed(), pytest.raises(ClaimLostError):
        folder.set_aside()
    assert folder.file("log.txt").exists()
