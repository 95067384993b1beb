"""Runs planned cells, several at a time, and never loses one to another's failure. Knows nothing of torch."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lipbench.errors import LipbenchError, RequestError, StoreError
from lipbench.plan import Planned
from lipbench.runner import BUSY
from lipbench.runner.connection import Connection, connect
from lipbench.store import RunFolder, Status

LOOK_SECONDS = 0.5  # between two looks at cells that another launcher works on


class Listener:
    """What a progress display is told; this one shows nothing."""

    def preparing(self) -> None:
        """Everything is being checked."""

    def noted(self, text: str) -> None:
        """Something that a reader of the numbers must know."""

    def started(self, run: str) -> None:
        """A run has begun."""

    def stepped(self, run: str, step: int) -> None:
        """A run has made `step` steps in all."""

    def ended(self, run: str, status: Status, message: str) -> None:
        """A run has come to an end for now."""


@dataclass
class Summary:
    """How the cells of one request stand at the end.

    Attributes:
        statuses: by run id, in the order of the plan.
        skipped: runs that were finished before.
        reasons: why a run failed or diverged.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def count(self, status: Status) -> int:
        """How many runs have this status."""
        return list(self.statuses.values()).count(status)

    @property
    def complete(self) -> bool:
        """Whether every run is finished, be it as diverged."""
        return all(status in (Status.DONE, Status.DIVERGED) for status in self.statuses.values())


class Launcher:
    """Works through the cells of one request.

    Args:
        results: the results folder.
        planned: the cells.
        jobs: how many at a time.
        device: for all of them.
        timeout: seconds after which a cell is stopped, or None.
        retry_failed: whether failed and diverged cells are set aside and started over.
        argv: the command line to record.
        listener: is told what happens.
    """

    def __init__(
        self,
        results: Path,
        planned: Sequence[Planned],
        *,
        jobs: int,
        device: str,
        timeout: float | None,
        retry_failed: bool,
        argv: list[str],
        listener: Listener,
    ) -> None:
        self.results, self.jobs, self.device, self.timeout, self.argv = results, jobs, device, timeout, argv
        self.listener = listener
        self.summary = Summary()
        self._planned = {cell.cell.run_id: cell for cell in planned}
        self._folders = {name: RunFolder(results / "runs" / name) for name in self._planned}
        self._queue: deque[str] = deque()
        self._elsewhere: list[str] = []
        self._running: dict[str, float] = {}
        self._timed_out: set[str] = set()
        self._over: set[str] = set()
        for name, folder in self._folders.items():
            self._sort(name, folder, retry_failed)

    def _sort(self, name: str, folder: RunFolder, retry_failed: bool) -> None:
        """Skip what is finished and queue the rest."""
        status = folder.status() if folder.path.exists() else Status.INTERRUPTED
        if retry_failed and status in (Status.FAILED, Status.DIVERGED):
            self._over.add(name)  # set aside when it starts, not before everything was checked
        elif status in (Status.DONE, Status.DIVERGED):
            self.summary.skipped.append(name)
            self.summary.statuses[name] = status
            return
        self.summary.statuses[name] = Status.INTERRUPTED
        self._queue.append(name)

    def run(self) -> Summary:
        """Run everything that is not finished.

        Raises:
            RequestError: a check failed; nothing was started.
        """
        if not self._queue:
            return self.summary
        with connect(self.results, self.device, self.argv) as server:
            self._prepare(server)
            looked = time.monotonic()
            while self._queue or self._running or self._elsewhere:
                while self._queue and len(self._running) < self.jobs:
                    self._start(server, self._queue.popleft())
                for event in server.events(patience=0.2):
                    self._hear(event)
                self._stop_overdue(server)
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    self._look_elsewhere()
        return self.summary

    def _prepare(self, server: Connection) -> None:
        """Have one cell of each sort built and checked before any begins."""
        self.listener.preparing()
        sorts: dict[str, Planned] = {}
        for name in self._queue:
            planned = self._planned[name]
            sorts.setdefault(planned.cell.model_copy(update={"seed": 0}).to_json(), planned)
        wanted = [
            {
                "cell": planned.cell.model_dump(mode="json"),
                "sources": {copy: str(path.resolve()) for copy, path in planned.sources.items()},
            }
            for planned in sorts.values()
        ]
        server.send({"prepare": wanted})
        noted: set[str] = set()
        while True:
            for event in server.events(patience=1.0):
                if event["event"] == "noted" and event["text"] not in noted:
                    noted.add(event["text"])
                    self.listener.noted(event["text"])
                if event["event"] == "refused":
                    raise RequestError(event["message"])
                if event["event"] == "prepared":
                    return
                if event["event"] == "exit":
                    log = self.results / "prepare.log"
                    raise LipbenchError(f"the checks before the first run have crashed; {str(log)!r} says how")

    def _start(self, server: Connection, name: str) -> None:
        folder, planned = self._folders[name], self._planned[name]
        try:
            if name in self._over and not folder.is_locked():
                self._over.discard(name)
                folder.set_aside()
            folder.create(planned.cell.to_json(), planned.sources)
        except (OSError, StoreError) as error:
            self._end(name, Status.FAILED, str(error))
            return
        server.send({"start": str(folder.path)})
        self._running[name] = time.monotonic()
        self.listener.started(name)

    def _hear(self, event: dict[str, Any]) -> None:
        name = event.get("run", "")
        if event["event"] == "step":
            self.listener.stepped(name, event["step"])
        elif event["event"] == "exit" and name in self._running:
            del self._running[name]
            if event["code"] == BUSY:
                self._elsewhere.append(name)
                return
            folder = self._folders[name]
            try:
                if event["signal"]:
                    self._record_signal(folder, event["signal"])
            except StoreError as error:  # a full disk or a damaged file of one run must not end the others
                self._end(name, Status.FAILED, str(error))
            else:
                self._conclude(name, folder)

    def _record_signal(self, folder: RunFolder, signal: int) -> None:
        if folder.id in self._timed_out:
            self._timed_out.discard(folder.id)
            folder.record_failure("timeout", f"stopped after {self.timeout:g} s (--timeout); it goes on when run again")
        elif folder.read_json("result.json") is None:
            hint = "; the system may have run out of memory: try fewer --jobs" if signal == 9 else ""
            folder.record_failure("killed", f"its process was ended by signal {signal}{hint}")

    def _conclude(self, name: str, folder: RunFolder) -> None:
        try:
            status = folder.status()
            error = folder.read_json("error.json") or {}
        except StoreError as damaged:
            status, error = Status.FAILED, {"message": str(damaged)}
        message = str(error.get("message", ""))
        if status not in (Status.DONE, Status.DIVERGED):
            status = Status.FAILED
            message = message or f"its process ended without a result; {str(folder.file('log.txt'))!r} says how"
        self._end(name, status, message)

    def _end(self, name: str, status: Status, message: str) -> None:
        self.summary.statuses[name] = status
        if status is not Status.DONE:
            self.summary.reasons[name] = message
        self.listener.ended(name, status, message)

    def _stop_overdue(self, server: Connection) -> None:
        for name, begun in self._running.items():
            overdue = self.timeout is not None and time.monotonic() - begun > self.timeout
            if overdue and name not in self._timed_out:
                self._timed_out.add(name)
                server.send({"kill": name})

    def _look_elsewhere(self) -> None:
        """Take over cells that another launcher has let go of, and note those that it has finished."""
        for name in list(self._elsewhere):
            folder = self._folders[name]
            if folder.read_json("result.json") is not None:
                self._elsewhere.remove(name)
                self._conclude(name, folder)
            elif not folder.is_locked():
                self._elsewhere.remove(name)
                self._queue.append(name)
