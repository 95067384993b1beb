"""The fork server: has torch loaded, and forks a process for each cell that starts at once.

It reads one JSON command a line from standard input and writes one JSON event a line to standard output:

    {"devices": ""}                      → {"event": "devices", "names": ["cuda:0", …]} or {"event": "refused", …}, and
                                           {"event": "exit", "run": "", …}
    {"start": "results/runs/…", "device": "cuda:0"}
                                         → {"event": "step", "run": id, "step": 25} …, {"event": "exit", "run": id, …}
    {"kill": id}                         → {"event": "exit", "run": id, "signal": 9}
    {"stop": 15}                         → {"event": "step", …}, {"event": "exit", "run": id, "code": 4, …} …
    {"prepare": [{"cell": …, …}, …], …}  → {"event": "checking", "text": …} …, {"event": "noted", "text": …} …,
                                           {"event": "made", "networks": …} and
                                           {"event": "fits", "seconds": …, "disk": …, "facts": …} for each cell in turn,
                                           {"event": "prepared"} or {"event": "refused", "message": …}, and
                                           {"event": "exit", "run": "", …}

When its input ends, because the launcher is gone however it went, the server and all its children end too, and what
these have started. A signal that asks to stop reaches cells from the launcher alone.
"""

import faulthandler
import json
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lipbench.disk.store import RunFolder
from lipbench.errors import LipbenchError
from lipbench.launch import STOPPED, signals
from lipbench.launch.listener import Forecast, Listener
from lipbench.launch.signals import Signals
from lipbench.request import cell as cells
from lipbench.request.plan import Planned
from lipbench.work import environment
from lipbench.work.device import spread
from lipbench.work.prepare import prepare
from lipbench.work.run import work

POLL_SECONDS = 0.02
REPORT_SECONDS = 0.2  # between two reports of a cell's steps


class Server:
    """Forks and reaps; everything else happens in the children.

    Args:
        events: the file descriptor that events are written to. One write a line: lines of several processes do not mix.
        results: the results folder.
        device: that was asked for.
        argv: the launcher's command line, to be recorded.
    """

    def __init__(self, events: int, results: Path, device: str, argv: list[str]) -> None:
        self.events = events
        self.results = results
        self.device = device
        self.argv = argv
        self.children: dict[int, str] = {}

    def emit(self, event: str, **details: Any) -> None:
        """Write one event."""
        os.write(self.events, (json.dumps({"event": event, **details}) + "\n").encode())

    def serve(self) -> None:
        """Obey commands until the input ends."""
        signals.ignore()
        signals.let_through()
        environment.git_state()
        self.emit("ready")
        pending = b""
        while True:
            if select.select([0], [], [], POLL_SECONDS)[0]:
                read = os.read(0, 1 << 16)
                if not read:
                    break
                *lines, pending = (pending + read).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
            self._reap()
        for child in self.children:
            signals.end_group(child)

    def _obey(self, command: dict[str, Any]) -> None:
        if "kill" in command:
            for child, name in self.children.items():
                if name == command["kill"]:
                    signals.end_group(child)
        elif "stop" in command:
            for child in self.children:
                os.kill(child, command["stop"])
        elif "start" in command:
            folder, device = RunFolder(Path(command["start"])), command["device"]
            self._fork(folder.id, folder.file("log.txt"), lambda: self._work(folder, device))
        elif "devices" in command:  # asked in a child: whoever has asked the driver can fork none that uses it
            self._fork("", Path(os.devnull), self._tell_devices)
        else:
            wanted, measure = command["prepare"], command["measure"]
            if any(each["cell"]["protocol"].get("trains") == "generator of points" for each in wanted):
                import ot.lp  # noqa: F401 - takes seconds, which each child would spend anew
            self._fork("", Path(command["log"]), lambda: self._prepare(wanted, measure=measure))

    def _fork(self, name: str, log: Path, job: Callable[[], int]) -> None:
        """Fork a child for a job, in a process group of its own; signals wait until it lets them through."""
        signals.hold_back()
        child = os.fork()
        if child:
            signals.let_through()
            with suppress(ProcessLookupError, PermissionError):  # it may have done so, and be gone
                os.setpgid(child, child)
            self.children[child] = name
            return
        code = 1
        try:
            os.setpgid(0, 0)
            signals.obey()
            _die_with_launcher()
            _redirect(log)
            faulthandler.enable()  # a crash in compiled code says where
            code = job()
        except BaseException:
            traceback.print_exc()  # into the log
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _tell_devices(self) -> int:
        try:
            self.emit("devices", names=spread(self.device))
        except LipbenchError as error:
            self.emit("refused", message=str(error))
        return 0

    def _work(self, folder: RunFolder, device: str) -> int:
        told, last = 0.0, 0

        def progress(step: int) -> None:
            nonlocal told, last
            last = step
            if time.monotonic() - told > REPORT_SECONDS:
                told = time.monotonic()
                self.emit("step", run=folder.id, step=step)

        heard = Signals()
        with heard.hearing():
            signals.let_through()
            code = work(folder, device, progress, self.argv, heard)
        if code == STOPPED and last:
            self.emit("step", run=folder.id, step=last)
        return code

    def _prepare(self, wanted: list[dict[str, Any]], *, measure: bool) -> int:
        signals.let_through()
        listener = _Telling(self.emit)
        try:
            for item in wanted:
                cell = cells.parse(json.dumps(item["cell"]), "a cell")
                sources = {name: Path(path) for name, path in item["sources"].items()}
                prepare(Planned(cell, sources), self.device, self.results, listener, measure=measure)
        except LipbenchError as error:
            traceback.print_exc()
            self.emit("refused", message=str(error))
            return 0
        self.emit("prepared")
        return 0

    def _reap(self) -> None:
        while self.children:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            signals.end_group(child)  # what a plugin has started and left
            name = self.children.pop(child)
            code = os.waitstatus_to_exitcode(status)
            self.emit("exit", run=name, code=max(code, 0), signal=max(-code, 0))


class _Telling(Listener):
    """Passes on what the checks say."""

    def __init__(self, emit: Callable[..., None]) -> None:
        self._emit = emit

    def checking(self, text: str) -> None:
        self._emit("checking", text=text)

    def noted(self, text: str) -> None:
        self._emit("noted", text=text)

    def made(self, networks: Mapping[str, Any]) -> None:
        self._emit("made", networks=networks)

    def fits(self, forecast: Forecast, facts: Mapping[str, Any]) -> None:
        self._emit("fits", **asdict(forecast), facts=facts)


def _die_with_launcher() -> None:
    """End this process when the launcher's end of standard input closes: a dead launcher leaves nothing behind."""
    poll = select.poll()
    poll.register(0, 0)  # no input is awaited, only the hang-up, which is always reported

    def watch() -> None:
        poll.poll()
        signals.end_group(os.getpid())

    threading.Thread(target=watch, daemon=True).start()


def _redirect(log: Path) -> None:
    """Send what plugins and libraries print to the run's log."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def main() -> None:
    """Serve: arguments are the results folder, the device and the launcher's command line as JSON."""
    results, device, argv = sys.argv[1:]
    events = os.dup(1)
    os.dup2(2, 1)  # nothing but events may reach the launcher's pipe
    Server(events, Path(results), device, json.loads(argv)).serve()


if __name__ == "__main__":
    main()
