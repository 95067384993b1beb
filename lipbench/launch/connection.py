"""The launcher's end of the fork server: commands out, events in."""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lipbench.errors import LipbenchError, RequestError
from lipbench.launch import signals


class ServerLostError(LipbenchError):
    """The process that starts runs has ended."""


class Connection:
    """A running fork server."""

    def __init__(self, process: "subprocess.Popen[bytes]", errors: Any) -> None:
        assert process.stdin is not None and process.stdout is not None  # both are pipes
        self._process, self._in, self._out, self._errors = process, process.stdin, process.stdout, errors
        self._pending = b""

    def send(self, command: dict[str, Any]) -> None:
        """Send one command.

        Raises:
            ServerLostError: the server has ended.
        """
        try:
            self._in.write((json.dumps(command) + "\n").encode())
            self._in.flush()
        except BrokenPipeError:
            raise self.lost() from None

    def events(self, patience: float) -> list[dict[str, Any]]:
        """The events that have come; waits up to `patience` seconds for the first.

        Raises:
            ServerLostError: the server has ended.
        """
        if not select.select([self._out], [], [], patience)[0]:
            return []
        read = self._out.read1(1 << 16)  # type: ignore[attr-defined]  # a pipe is buffered
        if not read:
            raise self.lost()
        *lines, self._pending = (self._pending + read).split(b"\n")
        return [json.loads(line) for line in lines]

    def devices(self) -> list[str]:
        """The devices over which runs are spread.

        Raises:
            RequestError: there is no such device on this machine.
            ServerLostError: the server has ended.
        """
        self.send({"devices": ""})
        names: list[str] = []
        while True:
            for event in self.events(patience=1.0):
                if event["event"] == "devices":
                    names = event["names"]
                elif event["event"] == "refused":
                    raise RequestError(event["message"])
                elif event["event"] == "exit":
                    return names or ["cpu"]

    def lost(self) -> "ServerLostError":
        """The error that says how the server has ended."""
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-3:]
        return ServerLostError(f"the process that starts runs has ended: {' / '.join(last) or 'it was killed'}")


@contextmanager
def connect(results: Path, device: str, argv: list[str]) -> Iterator[Connection]:
    """Start a fork server; it and all its runs end with the block, or with this process.

    Args:
        results: the results folder.
        device: for every run.
        argv: the command line to record.
    """
    # -P: a file in the present folder must not stand in for a library. A session of its own: Ctrl-C is the launcher's.
    command = [sys.executable, "-P", "-m", "lipbench.work.server", str(results), device, json.dumps(argv)]
    # Logs are UTF-8 in every locale: what a plugin prints must not end its run.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:surrogateescape"}
    with tempfile.TemporaryFile() as errors:
        signals.hold_back()  # the server, too, begins so, and is ended by none while it loads torch
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        finally:
            signals.let_through()
        try:
            yield Connection(process, errors)
        finally:
            assert process.stdin is not None and process.stdout is not None
            with suppress(BrokenPipeError):  # it may have ended already
                process.stdin.close()
            process.wait()
            process.stdout.close()


def command_line() -> list[str]:
    """What was typed, without the folders of this machine; nothing where nobody typed a command.

    In a notebook or an interpreter the arguments of the process are those of whatever serves it, private paths among
    them. There the main module is of no file.
    """
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is None or not sys.argv or Path(file).name != Path(sys.argv[0]).name:
        return []
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return ["python", "-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]]
    name = Path(file).name
    return [*(["python"] if name.endswith(".py") else []), name, *sys.argv[1:]]
