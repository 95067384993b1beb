"""Works through a sweep on this machine, several runs at a time, and never loses one to another's failure.

Knows nothing of torch.
"""

import shutil
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lipbench.disk.holders import SILENT
from lipbench.disk.results import existing
from lipbench.disk.store import Status
from lipbench.launch import BUSY, STOPPED
from lipbench.launch.checking import check
from lipbench.launch.connection import Connection, ServerLostError, connect
from lipbench.launch.placing import place, usual_jobs
from lipbench.launch.signals import Signals, Stopped
from lipbench.launch.sweep import LOOK_SECONDS, Sweep

LOST = 3  # servers, after whose loss another takes their place


class Local:
    """Works through a sweep.

    Args:
        sweep: what is to be run.
        checked: whether the runs need no check before the first begins.
        patient: whether to wait for runs on which other processes work.

    Attributes:
        advanced: whether any run has made a step, or has ended.
    """

    def __init__(self, sweep: Sweep, *, checked: bool = False, patient: bool = True) -> None:
        self.sweep, self.advanced = sweep, False
        self._checked, self._patient = checked, patient
        self._signals = Signals(again=_at_once)
        self._devices: list[str] = []
        self._running: dict[str, tuple[str, float]] = {}  # the device of each, and when it began
        self._timed_out: set[str] = set()
        self._waiting = False

    def run(self) -> None:
        """Run everything that is not finished.

        Raises:
            RequestError: a check failed; nothing was started.
            Stopped: by a signal; every run has written its checkpoint, unless a second one came.
        """
        sweep, lost = self.sweep, 0
        with self._signals.hearing():
            while lost <= LOST and not self._signals.heard and (sweep.waiting or sweep.elsewhere):
                try:
                    with self._connected(sweep.results) as server:
                        self._prepare(server)
                        try:
                            self._work(server)
                        except SystemExit:  # of a listener whose reader has gone, as of `lipbench run | head -1`
                            self._signals.heard = signal.SIGPIPE
                            self._work(server)
                except ServerLostError as error:
                    if not self._checked:
                        raise
                    lost += 1
                    self._take_back(error, end=lost > LOST)
            if self._signals.heard:
                raise Stopped(self._signals.heard, sweep.summary.standing)

    def check(self) -> None:
        """See that everything that is not finished could be run, tell what it will take, and start nothing.

        Raises:
            RequestError: a check failed.
        """
        if not self.sweep.waiting:
            return
        with TemporaryDirectory(prefix="lipbench-") as work, self._connected(self.sweep.results) as server:
            self._place(server)
            self._check(server, Path(work, "prepare.log"), measure=False)

    def _connected(self, results: Path) -> Any:
        return connect(results, self.sweep.device, self.sweep.argv)

    def _prepare(self, server: Connection) -> None:
        """Find devices and check everything, once; there is nothing to save yet."""
        try:
            with self._signals.interrupting():
                if not self._devices:
                    self._place(server)
                if not self._checked:
                    self._check(server, self.sweep.results / "prepare.log", measure=True)
        except Stopped as stopped:
            raise Stopped(stopped.signum, "no run had begun") from None
        self._checked = True

    def _place(self, server: Connection) -> None:
        sweep = self.sweep
        if not self._checked:
            sweep.listener.preparing()  # before torch is loaded, which takes seconds
        self._devices = server.devices() if sweep.device != "cpu" else ["cpu"]
        if sweep.jobs is None:
            threads = next(iter(sweep.planned.values())).cell.protocol.train.threads
            sweep.jobs = usual_jobs(self._devices, threads)
        self.sweep.listener.placed(sweep.jobs, self._devices)

    def _check(self, server: Connection, log: Path, *, measure: bool) -> None:
        sweep = self.sweep
        forecast = check(
            server,
            [sweep.planned[name] for name in sweep.waiting],
            jobs=sweep.jobs or 1,
            timeout=sweep.timeout,
            log=log,
            measure=measure,
            listener=self.sweep.listener,
        )
        free = shutil.disk_usage(existing(sweep.results)).free
        if forecast.disk > free:
            needed, there = (f"{size / 2**20:,.0f} MiB" for size in (forecast.disk, free))
            self.sweep.listener.noted(
                f"The runs need about {needed} of disk, and {str(sweep.results)!r} has {there} left."
            )

    def _work(self, server: Connection) -> None:
        """Start, hear and stop runs until all have ended."""
        sweep, looked, stopping = self.sweep, time.monotonic(), False
        while sweep.waiting or self._running or sweep.elsewhere:
            if self._signals.heard and not stopping:
                stopping = True
                server.send({"stop": signal.SIGTERM})
                sweep.stop(self._signals.heard, len(self._running))
            if stopping:
                sweep.elsewhere.clear()
            while sweep.waiting and len(self._running) < (sweep.jobs or 1):
                self._start(server, sweep.waiting.popleft())
            for event in server.events(patience=0.2):
                self._hear(event)
            self._stop_overdue(server)
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._look_elsewhere()

    def _start(self, server: Connection, name: str) -> None:
        if not self.sweep.make(name):
            return
        device = place(self._devices, [device for device, _ in self._running.values()])
        self._running[name] = device, time.monotonic()
        server.send({"start": str(self.sweep.folders[name].path), "device": device})
        self.sweep.listener.started(name)

    def _hear(self, event: dict[str, Any]) -> None:
        name = event.get("run", "")
        if event["event"] == "step":
            self.advanced |= self.sweep.stepped(name, event["step"])
        elif event["event"] == "exit" and name in self._running:
            del self._running[name]
            timeout = self.sweep.timeout if name in self._timed_out else None
            self._timed_out.discard(name)
            if event["code"] == BUSY:
                self.sweep.elsewhere[name] = "another process"
            elif event["code"] == STOPPED:
                self.sweep.stopped(name)
            else:
                self.advanced = True
                self.sweep.conclude(name, event["signal"], timeout)

    def _stop_overdue(self, server: Connection) -> None:
        timeout = self.sweep.timeout
        for name, (_, begun) in self._running.items():
            if timeout is not None and time.monotonic() - begun > timeout and name not in self._timed_out:
                self._timed_out.add(name)
                server.send({"kill": name})

    def _take_back(self, error: ServerLostError, *, end: bool) -> None:
        """Let wait again, or end, what was running when the server was lost; its processes have ended with it."""
        running, self._running = list(self._running), {}
        self._timed_out.clear()
        if not end:
            self.sweep.listener.noted(f"{error}. Another takes its place, and runs go on from their checkpoints.")
            self.sweep.waiting.extendleft(reversed(running))
            return
        for name in running:
            self.sweep.end(name, Status.FAILED, f"{error}; it goes on when run again")
        self.sweep.waiting.clear()

    def _look_elsewhere(self) -> None:
        elsewhere = self.sweep.elsewhere
        self.sweep.look_elsewhere(patient=self._patient)
        if elsewhere and not (self._running or self.sweep.waiting or self._waiting):
            self._waiting = True
            others = ", ".join(f"{name} is worked on by {other}" for name, other in elsewhere.items())
            self.sweep.listener.noted(f"{others}; this process waits, and takes over what is silent for {SILENT:g} s.")


def _at_once(number: int) -> None:
    raise Stopped(number, "at once. Runs go on from their last checkpoints, which may be a minute old")
