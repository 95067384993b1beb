"""Kills launchers, servers and runs at every moment, and compares what comes of it with a calm sweep.

    python -m tests.storm --kills 200 --launchers 3 --disk network

Several launchers work on one results folder. A random process of theirs gets a random signal, again and again, and a
launcher that has ended is started anew. In the end each run must be finished once, every number bit-equal to the calm
sweep's, and nothing left behind: no process, no claim, no half-written file.

The disk may be without kernel locks, or lie about them, as network disks do. On ``network`` each launcher is a machine
of its own, of which the others see signs of life alone, and a process may be halted until its work was taken over.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import click

from lipbench.disk.results import run_folders
from lipbench.disk.store import RunFolder, Status
from lipbench.measures import VARYING

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGSTOP)
HALT_SECONDS = 6.0
# What every process of the stormy sweep does first.
DISKS = {
    "local": "",
    "no locks": """
import errno, fcntl
def flock(*given):
    raise OSError(errno.ENOSYS, "Function not implemented")
fcntl.flock = flock
""",
    "lying locks": """
import fcntl
fcntl.flock = lambda *given: None
""",
    "network": """
import os, platform
if "STORM_MACHINE" in os.environ:
    platform.node = lambda: os.environ["STORM_MACHINE"]
    from lipbench.disk import claims, holders
    claims.BEAT = 0.3
    claims.SILENT = holders.SILENT = 4.0
    holders.WATCHED = 1.0
""",
}
SETTINGS = {
    "evaluate.samples": 64,
    "evaluate.kid_subset_size": 32,
    "evaluate.kid_subsets": 2,
    "evaluate.isc_splits": 2,
    "evaluate.critic_points": 16,
}


def command(results: Path, methods: str, seeds: str, steps: int) -> list[str]:
    """A launcher's command line."""
    settings = SETTINGS | {"train.steps": steps, "evaluate.every": max(1, steps // 4)}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return [sys.executable, "-P", "-m", "lipbench", "run", "--device", "cpu", "--jobs", "2", "--results", str(results),
            "--methods", methods, "--seeds", seeds, *words]  # fmt: skip


def processes(results: Path) -> list[int]:
    """All processes that work on a results folder: launchers, servers and what servers have forked."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(results) in path.read_bytes():
                found.append(int(path.parent.name))
    return [process for process in found if process != os.getpid()]


def outcome(folder: RunFolder) -> list[dict[str, Any]]:
    """All numbers of a run but its seconds and memory."""
    records = [folder.result() or {}, *folder.trace()[0]]
    return [{key: value for key, value in record.items() if key not in VARYING} for record in records]


def storm(
    work: Path,
    kills: int,
    launchers: int,
    *,
    methods: str,
    seeds: str,
    steps: int,
    disk: str = "local",
    signals: Sequence[signal.Signals] = SIGNALS,
    seed: int = 0,
) -> list[str]:
    """Make a calm sweep and a stormy one.

    Args:
        work: a folder for both.
        kills: signals that are sent.
        launchers: how many work at a time.
        methods: of the sweep.
        seeds: of the sweep.
        steps: of each run.
        disk: one of `DISKS`.
        signals: one of them at a time is sent; one that halts a process is followed by its continuation.
        seed: of the storm.

    Returns:
        What is wrong, in sentences.
    """
    calm, stormy, rng = work / "calm", work / "stormy", random.Random(seed)
    subprocess.run(command(calm, methods, seeds, steps), check=True, capture_output=True)
    log = work / "launchers.log"
    log.touch()
    (work / "first").mkdir()
    (work / "first" / "sitecustomize.py").write_text(DISKS[disk])
    sent: Counter[str] = Counter()
    started, halted = count(), dict[int, float]()
    running: list[subprocess.Popen[bytes]] = []
    last = time.monotonic()
    while True:
        finished = sum(folder.file("result.json").exists() for folder in run_folders(stormy)) if stormy.exists() else 0
        if finished == len(run_folders(calm)):
            break
        running = [launcher for launcher in running if launcher.poll() is None]
        while len(running) < launchers:
            line = command(stormy, methods, seeds, steps)
            first = {"PYTHONPATH": str(work / "first"), "STORM_MACHINE": f"node{next(started)}"}
            with log.open("ab") as output:
                running.append(
                    subprocess.Popen(line, stdout=output, stderr=output, start_new_session=True, env=os.environ | first)
                )
        if sent.total() < kills and time.monotonic() - last > rng.expovariate(1.0):
            last = time.monotonic()
            with suppress(ProcessLookupError, IndexError):
                number = rng.choice(signals)
                process = rng.choice(processes(stormy))
                os.kill(process, number)
                sent[number.name] += 1
                if number is signal.SIGSTOP:
                    halted[process] = last
        _wake(halted, HALT_SECONDS)
        time.sleep(0.05)
    _wake(halted, 0)
    for launcher in running:
        launcher.wait()
    print(*(f"{name} {times}" for name, times in sorted(sent.items())), sep=", ")
    return _wrong(calm, stormy, log) + ([] if sent.total() else ["no signal was sent"])


def _wake(halted: dict[int, float], after: float) -> None:
    """Let processes go on that were halted so many seconds ago."""
    for process, since in list(halted.items()):
        if time.monotonic() - since > after:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
            del halted[process]


def _wrong(calm: Path, stormy: Path, log: Path) -> list[str]:
    wrong = [f"{path} is left behind" for path in stormy.rglob(".*.partial")]
    deadline = time.monotonic() + 10
    while processes(stormy) and time.monotonic() < deadline:
        time.sleep(0.1)
    wrong += [f"process {process} is left behind" for process in processes(stormy)]
    told = log.read_text(errors="replace")
    # Until Python has loaded the program, the interpreter itself tells of a Ctrl-C.
    if told.count("Traceback (most recent call last)") > told.count("\nKeyboardInterrupt\n"):
        wrong.append("a launcher printed a traceback")
    for folder in run_folders(calm):
        other = RunFolder(stormy / "runs" / folder.id)
        if other.status() is not Status.DONE:
            wrong.append(f"{other.id} is {other.status()}")
        elif outcome(other) != outcome(folder) or other.trace()[1]:
            wrong.append(f"{other.id} has other numbers than in a calm sweep")
        if other.holder() is not None:
            wrong.append(f"{other.id} is claimed")
        if [*other.path.glob("attempt-*")]:
            wrong.append(f"{other.id} was started over")
    return wrong


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--launchers", default=3, show_default=True)
@click.option("--disk", type=click.Choice([*DISKS]), default="local", show_default=True)
@click.option("--only", type=click.Choice([number.name for number in SIGNALS]), help="Send no other signal.")
@click.option("--runs", default=40, show_default=True)
@click.option("--steps", default=200, show_default=True, help="Of each run.")
@click.option("--seed", default=0, show_default=True)
def main(kills: int, launchers: int, disk: str, only: str | None, runs: int, steps: int, seed: int) -> None:
    """Make a storm, and say what did not hold."""
    with tempfile.TemporaryDirectory() as work:
        begun = time.monotonic()
        found = storm(
            Path(work),
            kills,
            launchers,
            methods="wc,sn,sn+gp,gn",
            seeds=f"0-{runs // 4 - 1}",
            steps=steps,
            disk=disk,
            signals=(signal.Signals[only],) if only else SIGNALS,
            seed=seed,
        )
        print(f"{runs} runs, {disk} disk: {kills} signals asked for, {time.monotonic() - begun:.0f} s")
        print("\n".join(found) or "everything held")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
