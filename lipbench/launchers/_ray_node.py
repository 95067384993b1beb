"""What a Ray cluster's node does: it takes run folders, works on them, and gives back what has changed.

It travels to the node as it stands here. Nothing of lipbench is imported before both ends have the same.
"""

import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

PREFIX = "lipbench-ray-"
CHECKPOINT, RESULT = "checkpoint.pt", "result.json"

Files = dict[str, bytes]
Changes = dict[str, bytes | None]


def installed() -> dict[str, str]:
    """The version of lipbench that is installed here and a digest of its code, found without an import of it."""
    methods = [point.value for point in entry_points(group="lipbench.methods", name="builtin")]
    specs = [importlib.util.find_spec(package) for package in ("lipbench", *methods)]
    if specs[0] is None:
        return {"version": "", "code": ""}
    folders = [folder for spec in specs if spec for folder in spec.submodule_search_locations or []]
    digest = sha256()
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(f"{path.relative_to(folder)} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    try:
        named = re.search(r'VERSION = "(.*)"', Path(folders[0], "version.py").read_text(encoding="utf-8"))
    except FileNotFoundError:
        named = None
    return {"version": named[1] if named else "unknown", "code": digest.hexdigest()[:10]}


def readable(folder: Path) -> list[str]:
    """The files of a folder that travel, as paths below it: no claims, no earlier attempts, nothing half-written."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith((".", "attempt-", "claim.")) or part == "__pycache__" for part in name.parts)
        if not hidden and path.is_file():
            found.append(name.as_posix())
    return found


class Node:
    """An actor: one fork server, and a folder of its own for the runs that come to it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._known: dict[str, tuple[int, int, int]] = {}

    def about(self) -> dict[str, str]:
        """What is installed here, for which Python, and the node's id and name."""
        import ray

        here = {"id": ray.get_runtime_context().get_node_id(), "host": platform.node(), "python": sys.executable}
        return installed() | here

    def start(self, device: str, argv: list[str], folder: str, environment: dict[str, str | None]) -> str:
        """Start the fork server.

        Args:
            device: for every run.
            argv: the command line to record.
            folder: the present one of the launcher: paths that plugins are given go by it, where it is here, too.
            environment: the launcher's; None for what is not set there.

        Returns:
            The path of the results folder here.
        """
        from lipbench.disk import claims
        from lipbench.launch.connection import connect

        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):  # of actors that were killed
            with suppress(Exception):
                if [*left.glob("claim.*")] and claims.holder(left / "claim") is None:
                    shutil.rmtree(left)
        root = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._stack.callback(shutil.rmtree, root, ignore_errors=True)
        self._stack.enter_context(claims.held(root / "claim"))
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            elif not Path(value).is_absolute() or Path(value).exists():  # else what the node itself has
                os.environ[name] = value
        os.chdir(folder if Path(folder).is_dir() else root)
        self._results = root / "results"
        self._results.mkdir()
        self._server = self._stack.enter_context(connect(self._results, device, argv))
        return str(self._results)

    def exchange(
        self, files: Files, commands: list[dict[str, Any]], patience: float
    ) -> tuple[list[dict[str, Any]], Changes]:
        """Write files, give the server commands, and hear what happens for a while, or until a run ends.

        Args:
            files: by their paths below the results folder.
            commands: for the server.
            patience: seconds.

        Returns:
            The server's events, and every file that is new since a checkpoint was written or a run has ended, None for
            one that is gone.
        """
        for name, content in files.items():
            path = self._results / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self._known[name] = _state(path)
        for command in commands:
            self._server.send(command)
        events: list[dict[str, Any]] = []
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0 and not _ended(events):
            events += self._server.events(min(left, patience))
        changed = self._changed(ended=_ended(events))
        for run in [event["run"] for event in events if event["event"] == "exit" and event["run"]]:
            shutil.rmtree(self._results / "runs" / run, ignore_errors=True)
            self._known = {name: state for name, state in self._known.items() if not name.startswith(f"runs/{run}/")}
        return events, changed

    def close(self) -> None:
        """End the server and all its runs, remove what they have written, and give the node's resources back."""
        import ray

        self._stack.close()
        ray.actor.exit_actor()

    def _changed(self, *, ended: bool) -> Changes:
        """What is new; a result comes with the end of its run alone, when nothing before it changes any more."""
        names = readable(self._results)
        present = {name: state for name in names if (state := _state(self._results / name))}
        new = [name for name, state in present.items() if self._known.get(name) != state]
        if not ended and not any(name.endswith(CHECKPOINT) for name in new):
            return {}
        # The checkpoint first: the trace that is read then has all the lines that it knows.
        new.sort(key=lambda name: not name.endswith(CHECKPOINT))
        found: Changes = {}
        for name in new:
            if ended or not name.endswith(RESULT):
                with suppress(FileNotFoundError):
                    found[name] = (self._results / name).read_bytes()
                    self._known[name] = present[name]
        for name in self._known.keys() - present.keys():
            del self._known[name]
            found[name] = None
        return found


def _ended(events: list[dict[str, Any]]) -> bool:
    return any(event["event"] == "exit" for event in events)


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size
