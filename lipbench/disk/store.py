"""The run folder, which is the truth about a run: its files, its state, and who works on it.

Whoever writes in a folder holds a claim on it, and looks at it each time. Every file names its run, so that one of
another run is not taken for it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from lipbench.disk import claims
from lipbench.disk.files import damaged, read_bytes, read_object, read_text, to_json, write_atomically
from lipbench.disk.holders import Holder
from lipbench.disk.trace import Trace
from lipbench.errors import StoreError

CLAIM = "claim"
LEFTOVERS = (  # of an attempt; the result goes last: until then the run counts as finished
    "trace.jsonl",
    "checkpoint.pt",
    "error.json",
    "log.txt",
    "samples.png",
    "drawn.npz",
    "environment.json",
    "basis.json",
    "result.json",
)


class Status(StrEnum):
    """The state of a run."""

    DONE = "done"
    DIVERGED = "diverged"  # finished: a NaN is a result
    FAILED = "failed"
    RUNNING = "running"
    QUEUED = "queued"  # it waits for its turn on a cluster
    INTERRUPTED = "interrupted"


class RunFolder:
    """The folder of one run, ``results/runs/<run id>``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self._claim: claims.Claim | None = None

    def file(self, name: str) -> Path:
        """The path of one of its files."""
        return self.path / name

    def create(self, cell_json: str, sources: Mapping[str, bytes]) -> None:
        """Write what was asked, and copies of the user's own files; doing so again changes nothing."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name, content in [*sources.items(), ("cell.json", cell_json.encode())]:
            path = self.file(name)
            path.parent.mkdir(exist_ok=True, parents=True)
            try:
                present = read_bytes(path)
            except FileNotFoundError:
                present = None
            if present is None or (present != content and name != "cell.json"):
                self.write(name, content)

    def cell_text(self) -> str:
        """The text of ``cell.json``.

        Raises:
            StoreError: it is missing, or is not what the folder's name was made from.
        """
        try:
            text = read_text(self.file("cell.json"))
        except FileNotFoundError:
            raise StoreError(f"{str(self.path)!r} is not a run folder: it has no cell.json") from None
        if not self.id.endswith(sha256(text.encode()).hexdigest()[:10]):
            raise StoreError(
                f"{str(self.file('cell.json'))!r} was changed: its digest is not the one in the folder's name; "
                f"restore it, or move the folder away and run again"
            )
        return text

    def read_json(self, name: str) -> dict[str, Any] | None:
        """One of its JSON files, or None where there is none.

        Raises:
            StoreError: the file is damaged, cannot be read, or is of another run.
        """
        try:
            content = read_object(self.file(name))
        except FileNotFoundError:
            return None
        named = content.pop("run_id", self.id)
        if named != self.id:
            raise StoreError(damaged(self.file(name), f"of run {named}"))
        return content

    def write_json(self, name: str, record: Mapping[str, Any]) -> None:
        """Write one of its JSON files; errors as of `write`."""
        self.write(name, to_json({"run_id": self.id, **record}))

    def write(self, name: str, content: str | bytes) -> None:
        """Write one of its files, atomically.

        Raises:
            ClaimLostError: another process works on the folder by now.
            StoreError: it cannot be written.
        """
        write_atomically(self.file(name), content, self.check_claim)

    def check_claim(self) -> None:
        """See that no other process has taken the folder over; without a claim there is none to lose.

        Raises:
            ClaimLostError: one has.
        """
        if self._claim is not None:
            self._claim.check()

    def result(self) -> dict[str, Any] | None:
        """What came of the run, or None where it is not finished; errors as of `read_json`."""
        result = self.read_json("result.json")
        if result is not None and result.get("status") not in (Status.DONE, Status.DIVERGED):
            raise StoreError(damaged(self.file("result.json"), f"its status is {result.get('status')!r}"))
        return result

    def record_failure(self, kind: str, message: str, traceback: str | None = None) -> None:
        """Write ``error.json``, counting the attempts.

        Args:
            kind: diverged, out of memory, timeout, killed or error.
            message: for the user.
            traceback: for whoever mends it.
        """
        try:
            earlier = (self.read_json("error.json") or {}).get("attempt")
        except StoreError:
            earlier = None
        attempt = earlier + 1 if isinstance(earlier, int) else 1
        self.write_json("error.json", {"kind": kind, "message": message, "attempt": attempt, "traceback": traceback})

    @property
    def evaluations(self) -> Trace:
        """The file of evaluations, as it is written."""
        return Trace(self.file("trace.jsonl"), self.id, self.check_claim)

    def trace(self) -> tuple[list[dict[str, Any]], str | None]:
        """The evaluations so far, and what is wrong with them, if anything.

        Damaged lines are left out; of a finished run all are, where they are not those that it has made.

        Raises:
            StoreError: the file cannot be read.
        """
        records, problem = self.evaluations.read()
        try:
            result = self.result()
        except StoreError:  # said by whoever reads the result
            return records, problem
        return (records, problem) if result is None else self.evaluations.of_result(records, problem, result)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Claim the folder for this process; gives False where another process holds it.

        Raises:
            StoreError: nothing can be written there.
        """
        with claims.held(self.file(CLAIM)) as claim:
            before, self._claim = self._claim, claim or self._claim
            try:
                yield claim is not None
            finally:
                self._claim = before

    def holder(self) -> Holder | None:
        """Who works on the folder; None where nobody does.

        Raises:
            StoreError: it cannot be read.
        """
        return claims.holder(self.file(CLAIM))

    def is_worked_on(self) -> bool:
        """Whether someone who works on the folder gave a sign of life not long ago; errors as of `holder`."""
        holder = self.holder()
        return holder is not None and holder.counts

    def status(self) -> Status:
        """The state of the run.

        Raises:
            StoreError: its result is damaged, or cannot be read.
        """
        result = self.result()
        if result is not None:
            return Status(result["status"])
        if self.is_worked_on():
            return Status.RUNNING
        return Status.FAILED if os.path.lexists(self.file("error.json")) else Status.INTERRUPTED

    def attempt(self) -> str:
        """A digest of how the last attempt ended, so that another end can be told from it."""
        ends = []
        for name in ("error.json", "result.json"):
            try:
                ends.append(read_bytes(self.file(name)))
            except FileNotFoundError:
                ends.append(b"none")
            except StoreError:
                ends.append(b"damaged")
        return sha256(b"\0".join(ends)).hexdigest()

    def set_aside(self) -> None:
        """Move what an attempt left into a folder of its own, so that the run can start over and nothing is lost.

        Raises:
            ClaimLostError: another process works on the folder by now.
        """
        self.check_claim()
        number = 1
        while self.file(f"attempt-{number}").exists():
            number += 1
        aside = self.file(f"attempt-{number}")
        aside.mkdir()
        for name in LEFTOVERS:
            self.check_claim()
            if self.file(name).exists():
                shutil.move(self.file(name), aside / name)
