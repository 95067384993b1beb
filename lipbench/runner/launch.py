"""Runs planned cells, several at a time, and never loses one to another's failure. Knows nothing of torch."""

import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lipbench.errors import StoreError
from lipbench.plan import Planned
from lipbench.results import existing
from lipbench.runner import BUSY
from lipbench.runner.checking import check
from lipbench.runner.connection import Connection, connect
from lipbench.runner.listener import Forecast, Listener
from lipbench.store import RunFolder, Status

LOOK_SECONDS = 0.5  # between two looks at cells that another launcher works on


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
            self._check(server, self.results / "prepare.log", measure=True)
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

    def check(self) -> Forecast:
        """See that everything that is not finished could be run, and start nothing.

        Raises:
            RequestError: a check failed.
        """
        if not self._queue:
            return Forecast(0.0, 0)
        with TemporaryDirectory(prefix="lipbench-") as work, connect(self.results, self.device, self.argv) as server:
            return self._check(server, Path(work, "prepare.log"), measure=False)

    def _check(self, server: Connection, log: Path, *, measure: bool) -> Forecast:
        forecast = check(
            server,
            [self._planned[name] for name in self._queue],
            jobs=self.jobs,
            timeout=self.timeout,
            log=log,
            measure=measure,
            listener=self.listener,
        )
        free = shutil.disk_usage(existing(self.results)).free
        if forecast.disk > free:
            needed, there = (f"{size / 2**20:,.0f} MiB" for size in (forecast.disk, free))
            self.listener.noted(f"The runs need about {needed} of disk, and {str(self.results)!r} has {there} left.")
        return forecast

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
