"""What happens to one run, one file or one helper process costs no other run."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lipbench.disk.store import RunFolder, Status
from lipbench.launch import FAILED
from lipbench.launch.connection import Connection
from lipbench.launch.local import Local
from lipbench.launch.outcome import conclude, record_signal
from lipbench.launch.sweep import Sweep
from lipbench.request.plan import plan
from lipbench.work import basis
from lipbench.work.run import work
from tests.conftest import TINY, MakeRun
from tests.launch.test_launcher import command, wait_for

MINE = '"""Mine."""\nfrom lipbench import Method\nclass Mine(Method):\n    def project(self, critic):\n        {}\n'
CLIP = "for weight in critic.parameters(): weight.clamp_(-0.1, 0.1)"


def server_of(launcher: int) -> int:
    """The fork server that a launcher has started."""
    return int(Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()[0])


@pytest.mark.slow
def test_a_sweep_outlives_its_server_an_edit_of_its_own_file_and_a_damaged_result(tmp_path: Path) -> None:
    results, mine = tmp_path / "results", tmp_path / "mine.py"
    mine.write_text(MINE.format(CLIP))
    (damaged,) = plan("gn", None, [0], "digits", TINY | {"train.steps": 300, "evaluate.every": 50})
    folder = RunFolder(results / "runs" / damaged.cell.run_id)
    folder.create(damaged.cell.to_json(), {})
    folder.file("result.json").write_text('{"status": "do')
    words = ("--methods", f"gn,{mine},sn", "--seeds", "0", "--steps", "300", "--set", "evaluate.every=50")
    with subprocess.Popen(
        command(results, *words, "--jobs", "1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as sweep:
        wait_for(lambda: [*results.glob("runs/mine*/trace.jsonl")])
        mine.write_text(MINE.format("1 / 0"))
        os.kill(server_of(sweep.pid), signal.SIGKILL)
        said = sweep.communicate(timeout=120)[0]
    assert sweep.returncode == 1, said
    assert "Traceback" not in said
    assert "Another takes its place, and runs go on from their checkpoints" in said
    found = {name.partition("-")[0]: status for name, status in statuses_of(results).items()}
    assert found == {"gn": Status.FAILED, "mine": Status.DONE, "sn": Status.DONE}
    assert "result.json' is damaged" in said
    (copy,) = results.glob("runs/mine*/method.py")
    assert copy.read_text() == MINE.format(CLIP)


def statuses_of(results: Path) -> dict[str, Status]:
    return {path.name: conclude(RunFolder(path))[0] for path in (results / "runs").iterdir()}


class Deaf(Connection):
    """Leads to no server."""

    def __init__(self) -> None:
        """Start none."""

    def send(self, command: dict[str, Any]) -> None:
        """Nothing."""


def launcher(results: Path, *, retry_failed: bool) -> Local:
    planned = plan("gn", None, [0], "digits", TINY)
    made = Local(Sweep(results, planned, jobs=1, device="cpu", timeout=5.0, retry_failed=retry_failed))
    made._devices = ["cpu"]
    return made


def test_what_another_launcher_has_started_over_is_not_set_aside(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    folder.record_failure("error", "no luck")
    two = [launcher(tmp_path / "results", retry_failed=True) for _ in range(2)]
    for each in two:
        each._start(Deaf(), folder.id)
        folder.write_json("result.json", {"status": "done"})  # it has run
    assert folder.file("attempt-1/error.json").exists()
    assert not folder.file("attempt-2").exists()
    assert folder.status() is Status.DONE


def test_a_damaged_result_is_set_aside_only_where_failed_runs_are_started_over(
    make_run: MakeRun, tmp_path: Path
) -> None:
    folder = make_run("gn")
    folder.file("result.json").write_text("{")
    left = launcher(tmp_path / "results", retry_failed=False)
    left.run()
    assert left.sweep.summary.statuses == {folder.id: Status.FAILED}
    assert "result.json' is damaged" in left.sweep.summary.reasons[folder.id]
    launcher(tmp_path / "results", retry_failed=True)._start(Deaf(), folder.id)
    assert folder.file("attempt-1/result.json").read_text() == "{"
    assert folder.status() is Status.INTERRUPTED


def test_a_run_that_another_process_damages_meanwhile_ends_alone(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    waiting = launcher(tmp_path / "results", retry_failed=False)
    waiting.sweep.waiting.clear()
    waiting.sweep.elsewhere[folder.id] = "another process"
    folder.file("result.json").write_text("[]")
    waiting._look_elsewhere()
    assert waiting.sweep.summary.statuses[folder.id] is Status.FAILED
    assert "list in place of an object" in waiting.sweep.summary.reasons[folder.id]


def test_a_timeout_that_comes_after_the_end_is_not_written_onto_a_finished_run(make_run: MakeRun) -> None:
    folder = make_run("gn")
    record_signal(folder, signal.SIGKILL, 5.0)
    assert conclude(folder) == (Status.FAILED, "stopped after 5 s (--timeout); it goes on when run again")
    folder.file("error.json").unlink()
    folder.write_json("result.json", {"status": "done"})
    record_signal(folder, signal.SIGKILL, 5.0)
    assert conclude(folder) == (Status.DONE, "")


def test_what_a_killed_writer_has_left_is_swept_up_at_the_next_start(make_run: MakeRun) -> None:
    folder = make_run("gn")
    folder.file(".checkpoint.pt.0123.partial").write_bytes(b"half")
    work(folder, "cpu", lambda step: None, [])
    assert not [*folder.path.rglob("*.partial")]


def test_data_that_change_after_the_checks_are_refused_by_the_run_itself(make_run: MakeRun) -> None:
    folder = make_run("gn")
    (planned,) = plan("gn", None, [0], "digits", TINY)
    path = basis.yardstick_path(folder.path.parent.parent, planned.cell)
    path.parent.mkdir()
    path.write_text('{"pictures": "12345678", "extractor": "another"}')
    assert work(folder, "cpu", lambda step: None, []) == FAILED
    assert "has pictures" in conclude(folder)[1]
    assert "are planned with pictures 12345678" in conclude(folder)[1]
    path.write_text("{")
    work(folder, "cpu", lambda step: None, [])
    assert "is damaged" in conclude(folder)[1]
