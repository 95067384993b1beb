"""Whatever may become of a file of an interrupted run: it ends with the right numbers, or fails and names the file."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.launch import FAILED, FINISHED
from lipbench.launch.outcome import conclude
from lipbench.work.run import work
from tests.conftest import MakeRun
from tests.work.test_resume import Killed, assert_equal, dying_at_write


def a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if path.exists() else b"")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(missing_ok=True),
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "garbage": lambda path: path.write_bytes(bytes(range(256))),
    "a list": lambda path: path.write_text("[1, 2]"),
    "nested": lambda path: path.write_text(100_000 * "[" + 100_000 * "]"),
    "a folder": a_folder,
    "a pipe": a_pipe,
}
# By file, the kinds of damage that do no harm; every other makes the run fail, with the file's name.
HARMLESS = {
    "cell.json": [],
    "result.json": ["missing"],
    "checkpoint.pt": ["missing"],
    "trace.jsonl": [],
    "error.json": [*DAMAGE],
    "environment.json": [*DAMAGE],
    "basis.json": [*DAMAGE],
    "samples.png": [*DAMAGE],
}
# Written over, what no file can replace apart.
BLOCKED = dict.fromkeys(("error.json", "environment.json", "basis.json", "samples.png"), "a folder")


@pytest.mark.parametrize("name", HARMLESS)
def test_a_run_with_a_damaged_file_ends_right_or_names_it(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    short = {"train__steps": 2, "evaluate__every": 1, "evaluate__samples": 32}
    whole = make_run("wc", finished=True, results="whole", **short)
    begun = make_run("wc", results="begun", **short)
    with pytest.raises(Killed), dying_at_write(6):
        work(begun, "cpu", lambda step: None, [])
    for kind, damage in DAMAGE.items():
        folder = RunFolder(tmp_path / kind / "runs" / begun.id)
        shutil.copytree(begun.path, folder.path)
        damage(folder.file(name))
        harmless = kind in HARMLESS[name] and kind != BLOCKED.get(name)
        try:
            code = work(folder, "cpu", lambda step: None, [])
        except StoreError as error:  # where even the failure cannot be written down
            assert (name, kind) == ("error.json", "a folder"), (kind, error)
            continue
        status, message = conclude(folder)
        if harmless:
            assert (code, status) == (FINISHED, Status.DONE), (kind, message)
            assert_equal(folder, whole)
        else:
            assert (code, status) == (FAILED, Status.FAILED), kind
            assert name in message, (kind, message)


@pytest.mark.parametrize("name", ["checkpoint.pt", "trace.jsonl", "result.json"])
def test_a_file_of_another_run_is_refused(make_run: MakeRun, name: str) -> None:
    other = make_run("sn", finished=True, results="other")
    folder = make_run("wc")
    for each in {"checkpoint.pt", name}:
        shutil.copy(other.file(each), folder.file(each))
    assert work(folder, "cpu", lambda step: None, []) == FAILED
    assert other.id in conclude(folder)[1]
    assert not folder.file("samples.png").exists()
