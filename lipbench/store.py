"""The run folder, which is the truth about a run: its files, its state, and who works on it.

Whatever must not be half-written is written beside its place and renamed. A cell that works on a folder holds a
kernel lock on it, so a process that dies holds nothing.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from lipbench.errors import StoreError


class Status(StrEnum):
    """The state of a run."""

    DONE = "done"
    DIVERGED = "diverged"  # finished: a NaN is a result
    FAILED = "failed"
    RUNNING = "running"
    INTERRUPTED = "interrupted"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write the whole file or nothing: a reader never sees a part of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    data = content.encode() if isinstance(content, str) else content
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreError(
            f"{str(path)!r} cannot be written: {error.strerror}; free space there, or choose another folder"
        ) from None


def to_json(record: Any) -> str:
    """JSON without NaN: a number that is not finite becomes null, as in every table of lipbench."""
    return json.dumps(_finite(record), indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value


class RunFolder:
    """The folder of one run, ``results/runs/<run id>``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name

    def create(self, cell_json: str, sources: dict[str, Path]) -> None:
        """Write what was asked, and copies of the user's own files; doing so again changes nothing."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name, source in sources.items():
            self.file(name).parent.mkdir(exist_ok=True, parents=True)
            write_atomically(self.file(name), source.read_bytes())
        if not self.file("cell.json").exists():
            write_atomically(self.file("cell.json"), cell_json)

    def cell_text(self) -> str:
        """The text of ``cell.json``.

        Raises:
            StoreError: it is missing, or is not what the folder's name was made from.
        """
        try:
            text = self.file("cell.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{str(self.path)!r} is not a run folder: cell.json cannot be read ({error})") from None
        if not self.id.endswith(sha256(text.encode()).hexdigest()[:10]):
            raise StoreError(
                f"{str(self.file('cell.json'))!r} was changed: its digest is not the one in the folder's name; "
                f"restore it, or move the folder away and run again"
            )
        return text

    def read_json(self, name: str) -> dict[str, Any] | None:
        """One of its JSON files, or None where there is none.

        Raises:
            StoreError: the file is damaged.
        """
        try:
            content = json.loads(self.file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError(f"{str(self.file(name))!r} is damaged ({error}); remove it and run again") from None
        if not isinstance(content, dict):
            raise StoreError(f"{str(self.file(name))!r} is damaged (not an object); remove it and run again")
        return content

    def write_json(self, name: str, record: dict[str, Any]) -> None:
        """Write one of its JSON files, atomically."""
        write_atomically(self.file(name), to_json(record))

    def record_failure(self, kind: str, message: str, traceback: str | None = None) -> None:
        """Write ``error.json``, counting the attempts.

        Args:
            kind: diverged, out of memory, timeout, killed or error.
            message: for the user.
            traceback: for whoever mends it.
        """
        try:
            earlier = self.read_json("error.json") or {}
        except StoreError:
            earlier = {}
        attempt = int(earlier.get("attempt", 0)) + 1
        self.write_json("error.json", {"kind": kind, "message": message, "attempt": attempt, "traceback": traceback})

    def trace(self) -> tuple[list[dict[str, Any]], str | None]:
        """The evaluations so far, and what is wrong with the file, if anything; damaged lines are left out."""
        try:
            lines = self.file("trace.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return [], None
        records, problem = [], None
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                if not (isinstance(record, dict) and isinstance(record.get("step"), int)):
                    raise ValueError("not an evaluation")
                records.append(record)
            except ValueError as error:
                problem = f"{self.id}: line {number} of trace.jsonl is damaged ({error}) and left out"
        return records, problem

    def append_trace(self, record: dict[str, Any]) -> None:
        """Add one evaluation and flush it to the disk."""
        with self.file("trace.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(record), allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rewind_trace(self, step: int) -> None:
        """Drop evaluations after `step`, and a torn last line: they will be made again."""
        kept = [record for record in self.trace()[0] if record["step"] <= step]
        write_atomically(self.file("trace.jsonl"), "".join(json.dumps(record) + "\n" for record in kept))

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Claim the folder for this process; gives False where another process holds it."""
        with self.file("lock").open("a") as file:
            yield _try_lock(file.fileno(), fcntl.LOCK_EX)

    def is_locked(self) -> bool:
        """Whether a living process works on the folder."""
        try:
            with self.file("lock").open("r") as file:
                return not _try_lock(file.fileno(), fcntl.LOCK_SH, patience=0)
        except FileNotFoundError:
            return False

    def status(self) -> Status:
        """The state of the run."""
        result = self.read_json("result.json")
        if result is not None:
            if result.get("status") not in (Status.DONE, Status.DIVERGED):
                raise StoreError(f"{str(self.file('result.json'))!r} has no status; remove it and run again")
            return Status(result["status"])
        if self.is_locked():
            return Status.RUNNING
        return Status.FAILED if self.file("error.json").exists() else Status.INTERRUPTED

    def set_aside(self) -> None:
        """Move what an attempt left into a folder of its own, so that the run can start over and nothing is lost."""
        leftovers = ["trace.jsonl", "checkpoint.pt", "error.json", "result.json", "samples.png", "environment.json"]
        number = 1
        while self.file(f"attempt-{number}").exists():
            number += 1
        aside = self.file(f"attempt-{number}")
        aside.mkdir()
        # The result goes last: until then the run counts as finished.
        for name in leftovers:
            if self.file(name).exists():
                shutil.move(self.file(name), aside / name)


def _try_lock(descriptor: int, kind: int, patience: int = 10) -> bool:
    """Take a lock; patience bridges the instants in which `RunFolder.is_locked` of another process holds it."""
    for attempt in range(patience + 1):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if attempt < patience:
                time.sleep(0.02)
    return False
