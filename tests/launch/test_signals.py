"""Stopping in order: a signal costs no step, and the run ends bit-equal to one that nobody stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lipbench.disk.store import RunFolder, Status
from lipbench.launch import FINISHED, STOPPED
from lipbench.launch.signals import ASKING, Signals, Stopped
from lipbench.work import checkpoint
from lipbench.work.adversarial import Adversarial
from lipbench.work.run import work
from tests.conftest import MakeRun
from tests.launch.test_launcher import command, run, statuses, wait_for
from tests.work.test_resume import assert_equal


@pytest.mark.parametrize("number", ASKING)
def test_a_first_signal_is_remembered_and_raised_only_where_the_work_may_be_interrupted(number: int) -> None:
    heard = Signals()
    with heard.hearing():
        os.kill(os.getpid(), number)
        assert heard.heard == number
        with pytest.raises(Stopped) as stopped, heard.interrupting():
            raise AssertionError
    assert stopped.value.code == 128 + number
    assert signal.getsignal(number) is not heard._hear


def test_what_ignores_a_signal_goes_on_to_ignore_it() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().hearing():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_is_another_only_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[int] = []
    heard = Signals(again=again.append)
    with heard.hearing():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        assert again == []
        monkeypatch.setattr("lipbench.launch.signals.ECHO_SECONDS", -1.0)
        os.kill(os.getpid(), signal.SIGINT)
    assert (heard.heard, again) == (signal.SIGTERM, [signal.SIGINT])


def stopped_at(folder: RunFolder, step: int) -> int:
    """Work on a run until a signal comes after this step."""
    heard = Signals()

    def progress(made: int) -> None:
        if made >= step:
            os.kill(os.getpid(), signal.SIGTERM)

    with heard.hearing():
        return work(folder, "cpu", progress, [], heard)


@pytest.mark.parametrize("protocol", ["digits", "w1"])
@pytest.mark.parametrize("step", [0, 1, 3, 4])
def test_a_run_stopped_at_any_step_is_saved_there_and_ends_bit_equal(
    make_run: MakeRun, protocol: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipbench.work.run.STRETCH", 1)
    folder = make_run("gn", protocol=protocol, train__steps=5, results="stopped")
    assert stopped_at(folder, step) == STOPPED
    state = checkpoint.load(folder)
    assert state is not None
    assert state["trainer"]["step"] == max(step, 1)
    assert folder.status() is Status.INTERRUPTED
    assert work(folder, "cpu", lambda made: None, []) == FINISHED
    whole = make_run("gn", protocol=protocol, train__steps=5, finished=True, results="whole")
    assert_equal(folder, whole)


def test_an_evaluation_that_is_stopped_is_made_again_from_the_same_state(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_run("sn+gp", finished=True, results="whole")
    folder = make_run("sn+gp", results="stopped")
    measure = Adversarial.measure_critic

    def interrupted(job: Adversarial, *args: Any, **more: Any) -> Any:
        found = measure(job, *args, **more)
        os.kill(os.getpid(), signal.SIGUSR1)
        return found

    heard = Signals()
    with monkeypatch.context() as patch, heard.hearing():
        patch.setattr(Adversarial, "measure_critic", interrupted)
        assert work(folder, "cpu", lambda made: None, [], heard) == STOPPED
    state = checkpoint.load(folder)
    assert state is not None
    assert state["trainer"]["step"] == 3
    assert folder.trace() == ([], None)
    assert work(folder, "cpu", lambda made: None, []) == FINISHED
    assert_equal(folder, whole)


LONG = ("--methods", "gn,sn", "--seeds", "0", "--steps", "600", "--jobs", "2", "--set", "evaluate.every=50")


def sweeping(results: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(command(results, *LONG), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_sweep_that_is_asked_to_stop_writes_every_checkpoint_and_goes_on_bit_equal(
    tmp_path: Path, number: signal.Signals
) -> None:
    stopped = tmp_path / "stopped"
    with sweeping(stopped) as sweep:
        wait_for(lambda: len([*stopped.glob("runs/*/trace.jsonl")]) == 2)
        sweep.send_signal(number)
        said = sweep.communicate(timeout=120)[0]
    assert sweep.returncode == 128 + number, said
    assert "Traceback" not in said
    assert f"{number.name}: 2 runs write their checkpoints" in said
    assert said.count("interrupted: stopped at step") == 2
    assert f"Stopped by {number.name}: 2 of 2 runs wait" in said
    if number is signal.SIGTERM:
        assert run(stopped, *LONG).returncode == 0
        whole = tmp_path / "whole"
        assert run(whole, *LONG).returncode == 0
        for name in statuses(whole):
            assert_equal(RunFolder(stopped / "runs" / name), RunFolder(whole / "runs" / name))


@pytest.mark.slow
def test_a_signal_during_the_checks_ends_them_at_once(tmp_path: Path) -> None:
    with sweeping(tmp_path) as sweep:
        assert sweep.stdout is not None
        assert sweep.stdout.readline().startswith("checking")
        sweep.terminate()
        said = sweep.communicate(timeout=60)[0]
    assert sweep.returncode == 128 + signal.SIGTERM, said
    assert said.endswith("Stopped by SIGTERM: no run had begun.\n")


@pytest.mark.slow
def test_a_cell_by_itself_stops_in_order_too(make_run: MakeRun) -> None:
    folder = make_run("gn", train__steps=2000, evaluate__every=2000)
    words = [sys.executable, "-P", "-m", "lipbench.work.run", str(folder.path), "--device", "cpu"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as cell:
        assert cell.stdout is not None
        for _ in range(3):
            assert cell.stdout.readline().startswith("step")
        cell.send_signal(signal.SIGUSR1)
        said = cell.communicate(timeout=60)[0]
    assert cell.returncode == 128 + signal.SIGUSR1
    assert "Stopped by SIGUSR1. It goes on when run again." in said
    state = checkpoint.load(folder)
    assert state is not None
    assert state["trainer"]["step"] > 25
