"""A job of a Slurm array, on its node: works through its runs, and is queued again where its time is up.

``python -m lipbench.launchers._slurm_job FOLDER`` is what the job's script does; the folder is that of the submission.
"""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import LipbenchError, PluginError, StoreError
from lipbench.launch.listener import Listener
from lipbench.launch.local import Local
from lipbench.launch.signals import Stopped
from lipbench.launch.sweep import Sweep, planned_in
from lipbench.launchers._submissions import Submission
from lipbench.version import VERSION


class _Lines(Listener):
    """Writes the job's log."""

    def placed(self, jobs: int, devices: Sequence[str]) -> None:
        _say(f"{platform.node()}: {jobs} at a time on {', '.join(devices)}")

    def noted(self, text: str) -> None:
        _say(f"Note: {text}")

    def started(self, run: str) -> None:
        _say(f"{run}: started")

    def ended(self, run: str, status: Status, message: str) -> None:
        _say(f"{run}: {status}" + (f": {message}" if message else ""))


def work(folder: Path, task: int) -> int:
    """Work through the runs of one job.

    Args:
        folder: of the submission.
        task: the job's number in the array.

    Returns:
        The exit code: 0 where every run is finished, or is worked on by another process.
    """
    try:
        submission = Submission.read(folder)
    except FileNotFoundError:
        _say(
            f"{platform.node()} does not see {str(folder)!r}; expected a results folder on a disk that all nodes share"
        )
        return 1
    runs = [RunFolder(folder.parent.parent / "runs" / name) for name in submission.tasks[task]]
    if submission.lipbench != VERSION:
        _refuse(runs, submission)
        return 1
    planned, damaged = [], 0
    for run in runs:
        try:
            planned.append(planned_in(run))
        except (StoreError, PluginError) as error:  # it costs no other
            _say(f"{run.id}: {error}")
            damaged += 1
    sweep = Sweep(
        folder.parent.parent,
        planned,
        jobs=submission.jobs,
        device=submission.device,
        timeout=submission.timeout,
        over=submission.over,
        argv=submission.argv,
        listener=_Lines(),
    )
    # A job that was queued again may meet its own earlier process on a node that Slurm has lost sight of.
    local = Local(sweep, checked=True, patient="SLURM_RESTART_COUNT" in os.environ)
    try:
        local.run()
    except Stopped as stopped:
        if stopped.signum == signal.SIGUSR1:
            _say("The job's time is nearly up, and its runs have written their checkpoints.")
            _queue_again(task, advanced=local.advanced)
        else:
            _say(str(stopped))
        return stopped.code
    return 0 if sweep.summary.complete and not damaged else 1


def _refuse(runs: Sequence[RunFolder], submission: Submission) -> None:
    """Say in every run that this node has another version than the one that has submitted it."""
    said = (
        f"{platform.node()} has lipbench {VERSION} in {sys.executable}, and {submission.lipbench} has submitted the "
        f"run; expected one version on all machines: install it there, or give the command again with this one"
    )
    _say(said)
    for run in runs:
        with suppress(StoreError), run.claimed() as mine:  # one that is gone costs no other
            if mine and run.result() is None:
                run.record_failure("error", said)


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def _queue_again(task: int, *, advanced: bool) -> None:
    """Put this job back into the queue, as its time is up.

    Only then: a job that did so at SIGTERM could not be cancelled, and Slurm itself queues one that is pre-empted.
    """
    if not advanced:
        _say("No run has made a step in the job's time, nor would the next job; expected a longer time=")
        return
    job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{task}"  # the array's number alone would mean all of its jobs
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
    _say(f"Job {job} is queued again." if done.returncode == 0 else f"It is not queued again: {done.stderr.strip()}")


def main() -> None:
    """Do it."""
    try:
        sys.exit(work(Path(sys.argv[1]), int(os.environ["SLURM_ARRAY_TASK_ID"])))
    except LipbenchError as error:
        _say(f"Error: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
