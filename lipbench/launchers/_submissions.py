"""What was submitted to Slurm, and how it stands: each job array has a folder, and the array's name is the folder's."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lipbench.disk.files import read_bytes, read_text, write_atomically
from lipbench.errors import LipbenchError, RequestError, StoreError
from lipbench.interfaces.launcher import Standing

RECORD = "runs.json"
PATIENCE = 60.0  # seconds for an answer of Slurm's
END = 4096  # bytes of a log, in which its last line is looked for
# What the surroundings may say to Slurm's commands, by which jobs would not be found, or waited for.
UNHEARD = re.compile("SQUEUE_.*|SBATCH_(CLUSTERS|ERROR|WAIT)|SLURM_CLUSTERS")
FIELDS = "%j|%F|%K|%T|%N|%r"  # name, array, task, state, nodes, reason


class Submission(BaseModel):
    """A job array.

    Attributes:
        lipbench: the version that has submitted it.
        tasks: the ids of each job's runs.
        over: how each run that starts over had ended.
        jobs: runs at a time in a job, or None.
        device: for all of them.
        timeout: seconds after which a run is stopped, or None.
        argv: the command line to record.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lipbench: str
    tasks: list[list[str]]
    over: dict[str, str]
    jobs: int | None
    device: str
    timeout: float | None
    argv: list[str]

    @classmethod
    def read(cls, folder: Path) -> "Submission":
        """Read it from its folder.

        Raises:
            FileNotFoundError: there is none.
            StoreError: it is damaged.
        """
        try:
            return cls.model_validate_json(read_text(folder / RECORD))
        except ValidationError as error:
            raise StoreError(
                f"{str(folder / RECORD)!r} is damaged ({error.errors()[0]['msg']}); expected what was submitted: "
                f"remove the folder, and give the command again"
            ) from None

    def submit(self, folder: Path, options: list[str], script: str) -> str:
        """Submit it, by one call of sbatch.

        Args:
            folder: for its files, which is made.
            options: of sbatch; those of the command line win over those of the environment.
            script: the job's.

        Returns:
            The number of the job.

        Raises:
            RefusedError: Slurm refuses it.
            RequestError: Slurm does not answer.
        """
        folder.mkdir()
        write_atomically(folder / RECORD, self.model_dump_json(indent=1))  # first: the job's name leads to it
        write_atomically(folder / "job.sh", script)
        try:
            said = _ask(["sbatch", "--parsable", *options, str(folder / "job.sh")])
        except (subprocess.TimeoutExpired, _FailedError) as refused:
            if isinstance(refused, subprocess.TimeoutExpired) or "timed out" in str(refused):
                raise RequestError(
                    f"sbatch has not heard from Slurm within {PATIENCE:g} s, and may have submitted the jobs: "
                    f"`lipbench status` and squeue tell; the same command submits what is not queued"
                ) from None
            shutil.rmtree(folder)
            fewer = "; more runs to a job, as by pack=4, make fewer jobs" if "array" in str(refused) else ""
            raise RefusedError(
                f"Slurm refuses the jobs: {refused}; expected what this cluster has: `sinfo -o '%P %G %l'` lists "
                f"partitions, GPUs and time limits, and --dry-run shows the script{fewer}"
            ) from None
        return said.strip().partition(";")[0]


def folder_of(results: Path) -> Path:
    """Where what was submitted is kept; absolute, as nodes need not start where the command was given."""
    return results.resolve() / "slurm"


def standing(results: Path) -> dict[str, Standing]:
    """How the runs that were submitted stand, by their ids, but for those that are finished and not queued.

    Raises:
        LipbenchError: Slurm does not answer.
    """
    submitted = dict(_submitted(results))
    if not submitted:
        return {}
    queue = _queue({folder.name for folder, _ in submitted.values()})
    found = {}
    for name, (folder, task) in submitted.items():
        job = queue.get((folder.name, task))
        run = results / "runs" / name
        if job is None:
            if not (run / "result.json").exists():
                found[name] = Standing(False, _last_words(folder / f"{task}.log"))
        else:
            begun = (run / "checkpoint.pt").exists()
            found[name] = job.standing("its next turn" if begun and job.state == "PENDING" else "its turn")
    return found


def _submitted(results: Path) -> Iterator[tuple[str, tuple[Path, int]]]:
    """Each run's last job: the folder of the array, and its number there."""
    found = []
    for folder in (results / "slurm").glob("lipbench-*"):
        with suppress(FileNotFoundError, NotADirectoryError):  # the record's time: logs are still to come to the folder
            found.append(((folder / RECORD).stat().st_mtime_ns, folder, Submission.read(folder).tasks))
    for _, folder, tasks in sorted(found):
        for number, names in enumerate(tasks):
            for name in names:
                yield name, (folder, number)


@dataclass(frozen=True)
class _Job:
    """A job in the queue, as squeue tells of it."""

    id: str
    state: str
    nodes: str
    reason: str

    def standing(self, turn: str) -> Standing:
        """How one of its runs stands on which nobody works."""
        where = f"job {self.id}" + (f" on {self.nodes}" if self.nodes else "")
        why = f" ({self.reason})" if self.reason not in ("", "None") else ""
        texts = {"PENDING": f"waits for {turn} in {where}{why}", "RUNNING": f"{turn} in {where} is still to come"}
        return Standing(True, texts.get(self.state, f"{where} is {self.state.lower()}"), where)


def _queue(names: Iterable[str]) -> dict[tuple[str, int], _Job]:
    """What is queued of the arrays of these names, whoever has submitted them, by the name and the number there."""
    try:
        said = _ask(["squeue", "--all", f"--name={','.join(names)}", "--noheader", "--array", f"--format={FIELDS}"])
    except subprocess.TimeoutExpired:
        raise RequestError(
            f"squeue has not answered within {PATIENCE:g} s; expected to hear what is queued: try again later"
        ) from None
    except _FailedError as failed:
        there = shutil.which("squeue") is not None
        cure = "try again later" if there else "`lipbench status` on a login node tells"
        raise RequestError(f"squeue fails ({failed}), so nobody can say which runs are queued; {cure}") from None
    found = {}
    for line in said.splitlines():
        name, array, task, state, nodes, reason = line.split("|", 5)
        if task.isdecimal():
            found[name, int(task)] = _Job(f"{array}_{task}", state, nodes, reason)
    return found


def _last_words(log: Path) -> str:
    """What a job that has left the queue has said last."""
    try:
        text = read_bytes(log, END, end=True).decode(errors="replace")
    except FileNotFoundError:
        return (
            f"its job has left the queue without a log ({log}): it was cancelled before it began, or its node does not "
            f"see that folder"
        )
    except StoreError as error:
        return str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("slurmstepd")]
    return f"its job has left the queue: {lines[-1] if lines else 'it ended before lipbench began'} ({log})"


class RefusedError(RequestError):
    """Slurm takes no such job."""


class _FailedError(LipbenchError):
    """A command of Slurm's has failed; the message is what it said."""


def _ask(words: list[str]) -> str:
    heard = {name: value for name, value in os.environ.items() if not UNHEARD.fullmatch(name)}
    try:
        done = subprocess.run(
            words, capture_output=True, encoding="utf-8", errors="replace", timeout=PATIENCE, env=heard
        )
    except OSError as error:
        raise _FailedError(f"{words[0]}: {error.strerror}") from None
    if done.returncode:
        said = [line.removeprefix(f"{words[0]}: error: ").strip() for line in done.stderr.splitlines()]
        raise _FailedError("; ".join(filter(None, said)) or f"exit code {done.returncode}")
    return done.stdout
