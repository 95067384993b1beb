"""Launching cells: real processes, several at a time, killed and taken over."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lipbench.disk.results import run_folders
from lipbench.disk.store import RunFolder, Status
from tests.conftest import TINY
from tests.work.cells import error
from tests.work.test_resume import assert_equal

pytestmark = pytest.mark.slow

SETTINGS = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]


def command(results: Path, *words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "lipbench", "run", "--results", str(results), *SETTINGS, *words]


def run(results: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command(results, *words), capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def statuses(results: Path) -> dict[str, Status]:
    return {folder.id: folder.status() for folder in run_folders(results)}


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_job_and_two_give_the_same_bits_and_a_second_call_does_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for results, jobs in ((one, "1"), (two, "2")):
        done = run(results, "--methods", "wc,sn+gp,gn", "--seeds", "0-1", "--jobs", jobs)
        assert done.returncode == 0, done.stderr
        assert f"6 runs in {results}: 6 done" in done.stdout
    for folder in run_folders(one):
        assert_equal(folder, RunFolder(two / "runs" / folder.id))
    again = run(one, "--methods", "wc,sn+gp,gn", "--seeds", "0-1")
    assert "6 done (6 finished before)" in again.stdout
    assert "checking" not in again.stdout


def test_a_failing_run_loses_no_other_and_is_tried_again(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        '"""Fails in training."""\nfrom lipbench import Method\nclass Bad(Method):\n'
        "    def project(self, critic):\n        next(critic.parameters()).mul_(0.5)\n"
        "        critic.calls = getattr(critic, 'calls', 0) + 1\n"
        "        if critic.calls > 5:\n            print('∇: about to fail')\n            raise OSError('no luck')\n"
    )
    # Longer than a rehearsal, and without a checkpoint before it fails.
    words = ("--methods", f"{bad},gn", "--seeds", "0", "--steps", "9", "--set", "evaluate.every=9")
    done = run(tmp_path, *words, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "checking 2 runs before the first begins ..." in done.stdout  # in a locale without an ellipsis
    assert re.search(r"failed: bad-digits-s0-\w+: OSError: no luck", done.stdout)
    assert "2 runs in" in done.stdout
    assert "1 done, 1 failed" in done.stdout
    (folder,) = [folder for folder in run_folders(tmp_path) if folder.id.startswith("bad")]
    assert "∇: about to fail" in folder.file("log.txt").read_text()
    run(tmp_path, *words)
    assert error(folder)["attempt"] == 2
    run(tmp_path, *words, "--retry-failed")
    assert folder.file("attempt-1").is_dir()


def test_a_diverged_run_is_finished_and_started_over_only_when_asked(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        '"""Diverges."""\nfrom lipbench import Method\nclass Bad(Method):\n'
        "    def project(self, critic):\n        next(critic.parameters()).mul_(1e8)\n"
    )
    done = run(tmp_path, "--methods", str(bad), "--seeds", "0")
    assert done.returncode == 0
    assert "is not finite at step" in done.stdout
    assert "1 diverged" in done.stdout
    assert "1 diverged (1 finished before)" in run(tmp_path, "--methods", str(bad), "--seeds", "0").stdout
    again = run(tmp_path, "--methods", str(bad), "--seeds", "0", "--retry-failed")
    assert "finished before" not in again.stdout
    assert "1 diverged" in again.stdout


def test_a_run_that_takes_too_long_is_stopped_and_goes_on_later(tmp_path: Path) -> None:
    words = ("--methods", "gn", "--seeds", "0", "--steps", "3000", "--set", "evaluate.every=5")
    done = run(tmp_path, *words, "--timeout", "20")
    assert done.returncode == 1
    assert "stopped after 20 s (--timeout)" in done.stdout
    (folder,) = run_folders(tmp_path)
    assert error(folder)["kind"] == "timeout"
    assert folder.trace()[0][-1]["step"] > 0


def test_a_killed_run_is_recorded_and_a_killed_launcher_leaves_nothing_running(tmp_path: Path) -> None:
    words = ("--methods", "gn,sn", "--seeds", "0", "--set", "evaluate.every=20", "--steps", "120", "--jobs", "2")
    with subprocess.Popen(command(tmp_path, *words), stdout=subprocess.PIPE, text=True) as launcher:
        wait_for(lambda: len(started(tmp_path)) == 2)
        assert set(statuses(tmp_path).values()) == {Status.RUNNING}
        os.kill(launcher.pid, signal.SIGKILL)
        launcher.wait()
    wait_for(lambda: set(statuses(tmp_path).values()) == {Status.INTERRUPTED})
    straight = tmp_path / "straight"
    assert run(straight, *words).returncode == 0
    assert run(tmp_path, *words).returncode == 0
    for folder in run_folders(straight):
        assert_equal(folder, RunFolder(tmp_path / "runs" / folder.id))


def test_a_run_killed_from_outside_is_recorded_as_killed(tmp_path: Path) -> None:
    words = ("--methods", "gn", "--seeds", "0", "--steps", "3000", "--jobs", "1")
    with subprocess.Popen(command(tmp_path, *words), stdout=subprocess.PIPE, text=True) as launcher:
        wait_for(lambda: started(tmp_path))
        (server,) = children(launcher.pid)
        wait_for(lambda: children(server))
        os.kill(children(server)[0], signal.SIGKILL)
        assert launcher.stdout is not None
        printed = launcher.stdout.read()
    assert launcher.returncode == 1
    assert "its process was ended by signal 9" in printed


def test_two_launchers_share_the_work_and_no_run_is_made_twice(tmp_path: Path) -> None:
    words = ("--methods", "gn,sn,wc", "--seeds", "0-2", "--jobs", "1")
    launchers = [subprocess.Popen(command(tmp_path, *words), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [launcher.communicate()[0] for launcher in launchers]
    assert [launcher.returncode for launcher in launchers] == [0, 0]
    assert set(statuses(tmp_path).values()) == {Status.DONE}
    for folder in run_folders(tmp_path):
        assert [line["step"] for line in folder.trace()[0]] == [3, 6]
    assert all("9 runs in" in text for text in printed)


def test_ctrl_c_stops_everything_and_says_how_to_go_on(tmp_path: Path) -> None:
    words = ("--methods", "gn", "--seeds", "0", "--steps", "3000")
    with subprocess.Popen(command(tmp_path, *words), stdout=subprocess.PIPE, text=True) as launcher:
        wait_for(lambda: started(tmp_path))
        os.kill(launcher.pid, signal.SIGINT)
        assert launcher.stdout is not None
        assert "The same command goes on from here" in launcher.stdout.read()
    assert launcher.returncode == 130
    assert set(statuses(tmp_path).values()) == {Status.INTERRUPTED}


@pytest.mark.parametrize(
    ("first", "words", "expected"),
    [
        ("import nowhere", [], "does not import: ModuleNotFoundError"),
        (
            "import os; os._exit(7)",
            [],
            "has ended the process that checks, by exit code 7",
        ),
        (
            "import time; time.sleep(60)",
            ["--timeout", "8", "--dry-run"],
            "bad on digits: loading data and making networks takes longer than 8 s; expected each stage",
        ),
    ],
)
def test_a_plugin_that_cannot_work_is_refused_before_anything_starts(
    tmp_path: Path, first: str, words: list[str], expected: str
) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        f"{first}\nfrom lipbench import Method\nclass Bad(Method):\n"
        "    def score(self, value, grad_norm): return value / (1 + grad_norm)\n"
    )
    done = run(tmp_path, "--methods", f"gn,{bad}", "--seeds", "0", *words)
    assert done.returncode == 2
    assert expected in done.stderr
    assert list(tmp_path.glob("runs/*")) == []


def started(results: Path) -> list[Path]:
    """Runs that have evaluated something."""
    return list(results.glob("runs/*/trace.jsonl")) if any(results.glob("runs/*/checkpoint.pt")) else []


def children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]
