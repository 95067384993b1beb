"""A cluster under Slurm: one job array, submitted and left.

Example: slurm[partition=gpu,gres=gpu:1,time=4:00:00,pack=4,array=32]
Manual: docs/clusters.md says what each parameter is.
"""

import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from os import environ
from pathlib import Path
from secrets import token_hex

from lipbench.disk.places import exclusive
from lipbench.disk.store import Status
from lipbench.errors import RequestError, StoreError
from lipbench.interfaces.launcher import Launcher, Standing
from lipbench.launch.sweep import LOOK_SECONDS, Sweep
from lipbench.launchers._submissions import RefusedError, Submission, folder_of, standing
from lipbench.version import VERSION

TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d+(:\d\d){0,2}")  # as sbatch reads it
EARLY = 30  # seconds by which Slurm's warning comes early: it looks twice a minute
WORDS = {"cpus": "cpus-per-task"}  # what sbatch calls otherwise
OWN = re.compile(r"--(array|clusters|job-name|open-mode|output|signal|test-only|wait|wrap)(?![\w-])|-[aJMoW]")
GPU = re.compile(r"(^|\s)(--gpus|-G|--gres[= ]\S*gpu)")
# What jobs need of the submitter's environment, at sites that pass none of it on, too.
PASSED = ("LIPBENCH_CACHE", "LIPBENCH_DATA", "LIPBENCH_INCEPTION", "XDG_CACHE_HOME", "PYTHONPATH")


class Slurm(Launcher):
    """Submits one job array.

    Attributes:
        partition: like time, gres, mem, account, qos and constraint an option of sbatch; sbatch's default if empty.
        cpus: processors of a job; sbatch's default if 0.
        pack: runs that share a job, ``--jobs`` of them at a time: one on each GPU, or for each processor, if left out.
        array: the most jobs that run at a time; 0 for no limit.
        signal: seconds before the time limit at which runs write their checkpoints, and the job is queued again.
        setup: a line of shell before the work, such as ``module load cuda``.
        options: more options of sbatch, such as ``--exclude=node7``.
    """

    partition: str = ""
    time: str = ""
    gres: str = ""
    cpus: int = 0
    mem: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    pack: int = 1
    array: int = 0
    signal: int = 90
    setup: str = ""
    options: str = ""

    def __post_init__(self) -> None:
        """Refuse what sbatch would refuse, or take for something else."""
        if self.time and not TIME.fullmatch(self.time):
            raise ValueError(f"time is {self.time!r}; expected minutes, or a form such as 4:00:00 or 1-12:00:00")
        if self.time and _seconds(self.time) <= self.signal + EARLY:
            raise ValueError(
                f"time is {self.time!r}, and checkpoints are written up to {self.signal + EARLY} s before the limit "
                f"(signal={self.signal}, and Slurm may be {EARLY} s early); expected more time, or a smaller signal"
            )
        for name, least in (("cpus", 0), ("pack", 1), ("array", 0), ("signal", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")
        try:
            words = shlex.split(self.options)
        except ValueError as error:
            raise ValueError(f"options is {self.options!r} ({error}); expected options as typed in a shell") from None
        for word in filter(OWN.match, words):
            raise ValueError(
                f"options holds {word!r}; expected none by which lipbench finds its jobs and their logs: leave it out, "
                f"array= and signal= are parameters"
            )

    def launch(self, sweep: Sweep) -> None:
        """See `Launcher.launch`: the runs are queued then."""
        if shutil.which("sbatch") is None:
            raise RequestError(
                "there is no sbatch on this machine; expected Slurm's commands: give the command on a login node of "
                "the cluster"
            )
        place = _place(sweep.results)
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{str(place)!r} cannot be made: {error.strerror}; move away what is there") from None
        new = [name for name, folder in sweep.folders.items() if not folder.path.exists()]
        with exclusive(place / ".lock"):  # the same command may be given twice at once
            wanted = self._wanted(sweep)
            try:
                if wanted:
                    self._submit(sweep, wanted, place)
                else:
                    sweep.summary.notes.append("Nothing was submitted: all that is not finished is queued or running.")
            except RefusedError:
                for name in set(new).intersection(wanted):
                    shutil.rmtree(sweep.folders[name].path)
                raise

    def check(self, sweep: Sweep) -> None:
        """See `Launcher.check`: tells the script, whose … stands for what a submission is called."""
        packed = self._packed(sweep.waiting)
        sweep.summary.notes += [
            self._script(len(packed), _place(sweep.results) / "lipbench-…"),
            f"{self._amounts(packed)} would be submitted. Slurm was not asked, and no run was tried: --dry-run without "
            f"--on tries one of each sort on this machine.",
        ]

    def standing(self, results: Path) -> dict[str, Standing]:
        """See `Launcher.standing`: as the queue says, and the logs of what has left it."""
        return standing(results)

    def _wanted(self, sweep: Sweep) -> list[str]:
        """The runs on which nobody works, nor will; their folders are made."""
        known, wanted = standing(sweep.results), []
        while sweep.waiting:
            name = sweep.waiting.popleft()
            if name in known and known[name].queued:
                sweep.summary.statuses[name] = Status.QUEUED
            elif sweep.make(name, start_over=False):  # the job sets aside what is to start over
                sweep.summary.statuses[name] = Status.QUEUED
                wanted.append(name)
            while sweep.elsewhere and not sweep.waiting:  # who lives gives a sign of it soon; a lost node does not
                sweep.look_elsewhere(patient=False)
                time.sleep(LOOK_SECONDS if sweep.elsewhere else 0)
        return wanted

    def _submit(self, sweep: Sweep, wanted: list[str], place: Path) -> None:
        packed = self._packed(wanted)
        asks_gpu = sweep.device == "auto" and ("gpu" in self.gres or GPU.search(self.options))
        submission = Submission(
            lipbench=VERSION,
            tasks=packed,
            over={name: ended for name, ended in sweep.over.items() if name in wanted},
            jobs=sweep.jobs,
            device="cuda" if asks_gpu else sweep.device,  # a job that gets none must not go on without
            timeout=sweep.timeout,
            argv=sweep.argv,
        )
        folder = place / f"lipbench-{token_hex(5)}"
        job = submission.submit(folder, self._options(len(packed), folder), self._script(len(packed), folder))
        sweep.summary.notes.append(
            f"Submitted as job {job}: {self._amounts(packed)}. Nothing was tried on this machine: a run that cannot "
            f"work fails in its job, and `lipbench status` says why. Logs: {folder}"
        )

    def _amounts(self, packed: Sequence[Sequence[str]]) -> str:
        runs, jobs = sum(map(len, packed)), len(packed)
        limit = f", at most {self.array} job{'s' * (self.array != 1)} at a time" if self.array else ""
        return f"{runs} run{'s' * (runs != 1)} in {jobs} job{'s' * (jobs != 1)}{limit}"

    def _packed(self, names: Iterable[str]) -> list[list[str]]:
        listed = list(names)
        return [listed[start : start + self.pack] for start in range(0, len(listed), self.pack)]

    def _options(self, jobs: int, folder: Path) -> list[str]:
        limit = f"%{self.array}" if self.array else ""
        asked = ("partition", "time", "gres", "cpus", "mem", "account", "qos", "constraint")
        given = {WORDS.get(name, name): getattr(self, name) for name in asked if getattr(self, name)}
        log = str(folder).replace("%", "%%") + "/%a.log"
        given |= {"job-name": folder.name, "array": f"0-{jobs - 1}{limit}", "output": log}
        given |= {"open-mode": "append", "signal": f"B:USR1@{self.signal}"}
        return [*(f"--{name}={value}" for name, value in given.items()), "--requeue", *shlex.split(self.options)]

    def _script(self, jobs: int, folder: Path) -> str:
        work = [sys.executable, "-P", "-m", "lipbench.launchers._slurm_job", str(folder)]
        lines = [
            "#!/bin/bash",
            *(f"#SBATCH {shlex.quote(option)}" for option in self._options(jobs, folder)),
            *(f"export {name}={shlex.quote(environ[name])}" for name in PASSED if environ.get(name)),
            *([f"{self.setup} || {{ echo 'setup has failed' >&2; exit 1; }}"] if self.setup else []),
            f"exec {shlex.join(work)}",
        ]
        return "\n".join(lines) + "\n"


def _seconds(time: str) -> int:
    """The seconds of a time as sbatch reads it: ``minutes``, ``minutes:seconds``, ``h:m:s`` or ``days-h:m:s``."""
    days, dash, clock = time.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    from_hours = parts if dash or len(parts) == 3 else [0, *parts]
    hours, minutes, seconds = [*from_hours, 0, 0][:3]
    return (int(days or 0) * 24 + hours) * 3600 + minutes * 60 + seconds


def _place(results: Path) -> Path:
    """Where what is submitted is kept; refused where sbatch could not write a log."""
    place = folder_of(results)
    if "\\" in str(place) or not str(place).isprintable():
        raise RequestError(
            f"the results folder {str(place.parent)!r} has a letter in its path that sbatch cannot write; expected "
            f"none such as a backslash or a new line: choose another --results"
        )
    return place
