"""Runs planned cells, several at a time, and never loses one to another's failure. Knows nothing of torch."""

import shutil
import signal
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lipbench.disk.results import existing
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.launch import BUSY, STOPPED
from lipbench.launch.checking import check
from lipbench.launch.connection import Connection, ServerLostError, connect
from lipbench.launch.listener import Listener, quiet
from lipbench.launch.outcome import Summary, conclude, record_signal
from lipbench.launch.signals import Signals, Stopped
from lipbench.request.plan import Planned

LOOK_SECONDS = 0.5  # between two looks at cells that another launcher works on
LOST = 3  # servers, after whose loss another takes their place


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
        # Read now: what is edited during the sweep changes nothing of it.
        self._contents = {name: cell.contents() for name, cell in self._planned.items()}
        self._folders = {name: RunFolder(results / "runs" / name) for name in self._planned}
        self._signals = Signals(again=_at_once)
        self._queue: deque[str] = deque()
        self._elsewhere: list[str] = []
        self._running: dict[str, float] = {}
        self._steps: dict[str, int] = {}
        self._timed_out: set[str] = set()
        self._over: dict[str, str] = {}
        self._waiting = False
        for name, folder in self._folders.items():
            self._sort(name, folder, retry_failed)

    def _sort(self, name: str, folder: RunFolder, retry_failed: bool) -> None:
        """Skip what is finished, leave what is damaged, and queue the rest."""
        self.summary.statuses[name] = Status.INTERRUPTED
        try:
            status = folder.status() if folder.path.exists() else Status.INTERRUPTED
        except StoreError as damaged:
            status = Status.FAILED
            if not retry_failed:
                self.summary.statuses[name] = status
                self.summary.reasons[name] = str(damaged)
                return
        if retry_failed and status in (Status.FAILED, Status.DIVERGED):
            self._over[name] = folder.attempt()  # set aside when it starts, not before everything was checked
        elif status in (Status.DONE, Status.DIVERGED):
            self.summary.skipped.append(name)
            self.summary.statuses[name] = status
            return
        self._queue.append(name)

    def run(self) -> Summary:
        """Run everything that is not finished.

        Raises:
            RequestError: a check failed; nothing was started.
            Stopped: by a signal; every run has written its checkpoint, unless a second one came.
        """
        if not self._queue:
            return self.summary
        checked, lost = False, 0
        with self._signals.hearing():
            while lost <= LOST and not self._signals.heard and (self._queue or self._elsewhere):
                try:
                    with connect(self.results, self.device, self.argv) as server:
                        if not checked:
                            self._check_first(server)
                            checked = True
                        try:
                            self._work(server)
                        except SystemExit:  # of a listener whose reader has gone, as of `lipbench run | head -1`
                            self._signals.heard = signal.SIGPIPE
                            self._work(server)
                except ServerLostError as error:
                    if not checked:
                        raise
                    lost += 1
                    self._take_back(error, end=lost > LOST)
            if self._signals.heard:
                raise Stopped(self._signals.heard, self.summary.standing)
        return self.summary

    def _check_first(self, server: Connection) -> None:
        try:
            with self._signals.interrupting():  # there is nothing to save yet
                self._check(server, self.results / "prepare.log", measure=True)
        except Stopped as stopped:
            raise Stopped(stopped.signum, "no run had begun") from None

    def _work(self, server: Connection) -> None:
        """Start, hear and stop runs until all have ended."""
        looked, stopping = time.monotonic(), False
        while self._queue or self._running or self._elsewhere:
            if self._signals.heard and not stopping:
                stopping = True
                self._queue.clear()
                server.send({"stop": signal.SIGTERM})
                if self._signals.heard in (signal.SIGHUP, signal.SIGPIPE):  # the terminal may be gone
                    self.listener = quiet(self.listener)
                self.listener.stopping(self._signals.heard, len(self._running))
            if stopping:
                self._elsewhere.clear()
            while self._queue and len(self._running) < self.jobs:
                self._start(server, self._queue.popleft())
            for event in server.events(patience=0.2):
                self._hear(event)
            self._stop_overdue(server)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._look_elsewhere()

    def _take_back(self, error: ServerLostError, *, end: bool) -> None:
        """Queue again, or end, what was running when the server was lost; its processes have ended with it."""
        running, self._running = list(self._running), {}
        self._timed_out.clear()
        if not end:
            self.listener.noted(f"{error}. Another takes its place, and runs go on from their checkpoints.")
            self._queue.extendleft(reversed(running))
            return
        for name in running:
            self._end(name, Status.FAILED, f"{error}; it goes on when run again")
        self._queue.clear()

    def check(self) -> None:
        """See that everything that is not finished could be run, tell what it will take, and start nothing.

        Raises:
            RequestError: a check failed.
        """
        if not self._queue:
            return
        with TemporaryDirectory(prefix="lipbench-") as work, connect(self.results, self.device, self.argv) as server:
            self._check(server, Path(work, "prepare.log"), measure=False)

    def _check(self, server: Connection, log: Path, *, measure: bool) -> None:
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

    def _start(self, server: Connection, name: str) -> None:
        folder = self._folders[name]
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            with folder.lock() as mine:
                if not mine:
                    self._elsewhere.append(name)
                    return
                # Another launcher may have started it over, and finished it, since it was looked at.
                if self._over.pop(name, None) == folder.attempt():
                    folder.set_aside()
                folder.create(self._planned[name].cell.to_json(), self._contents[name])
        except (OSError, StoreError) as error:
            self._end(name, Status.FAILED, str(error))
            return
        self._running[name] = time.monotonic()
        server.send({"start": str(folder.path)})
        self.listener.started(name)

    def _hear(self, event: dict[str, Any]) -> None:
        name = event.get("run", "")
        if event["event"] == "step":
            self._steps[name] = event["step"]
            self.listener.stepped(name, event["step"])
        elif event["event"] == "exit" and name in self._running:
            del self._running[name]
            if event["code"] == BUSY:
                self._elsewhere.append(name)
            elif event["code"] == STOPPED:
                at = f"at step {self._steps[name]:,}" if name in self._steps else "before its first step"
                self._end(name, Status.INTERRUPTED, f"stopped {at}; it goes on from there when run again")
            else:
                self._conclude(name, event["signal"])

    def _conclude(self, name: str, number: int = 0) -> None:
        """Say what has come of a run; `number` is the signal that has ended its process, if one has."""
        folder, timeout = self._folders[name], self.timeout if name in self._timed_out else None
        self._timed_out.discard(name)
        try:
            if number:
                record_signal(folder, number, timeout)
        except (OSError, StoreError) as error:  # a full disk or a damaged file of one run must not end the others
            self._end(name, Status.FAILED, str(error))
        else:
            self._end(name, *conclude(folder))

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
            try:
                finished, locked = folder.result() is not None, folder.is_locked()
            except StoreError as damaged:
                self._elsewhere.remove(name)
                self._end(name, Status.FAILED, str(damaged))
                continue
            if finished or not locked:
                self._elsewhere.remove(name)
                if finished:
                    self._conclude(name)
                else:
                    self._queue.append(name)
        if self._elsewhere and not (self._running or self._queue or self._waiting):
            self._waiting = True
            self.listener.noted(
                f"{', '.join(self._elsewhere)} {'is' if len(self._elsewhere) == 1 else 'are'} worked on by another "
                f"process; this one waits for it."
            )


def _at_once(number: int) -> None:
    raise Stopped(number, "at once. Runs go on from their last checkpoints, which may be a minute old")
