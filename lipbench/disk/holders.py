"""Who holds a claim, and whether it still lives: known at once of this machine, and by signs of life of any other."""

import json
import os
import platform
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any

from lipbench.disk.files import PARTIAL

BEAT = 10.0  # seconds between two signs of life
SILENT = 60.0  # after so many seconds without one a holder elsewhere counts as gone
WATCHED = 15.0  # and this process has itself seen none for so long: the disk's clock may have been set


@dataclass(frozen=True)
class Holder:
    """Who holds a claim.

    Attributes:
        host: the machine's name, and None where the file is damaged.
        pid: of the process there.
        silent: seconds since its last sign of life; 0 on this machine, where it is known to live.
        seen: whether it is known to live: it gave a sign of life while this process looked.
    """

    host: str | None
    pid: int | None
    silent: float
    seen: bool

    @property
    def counts(self) -> bool:
        """Whether it gave a sign of life not long ago."""
        return self.silent < SILENT

    def __str__(self) -> str:
        who = "whoever wrote a damaged claim" if self.host is None else f"process {self.pid} on {self.host}"
        return who if self.counts else f"{who}, silent for {self.silent:.0f} s"


@dataclass
class _Sighting:
    """What this process has seen of a claim: times of the disk, and of the monotonic clock here."""

    beat: float
    first: float
    since: float


_sightings: dict[tuple[Path, bytes], _Sighting] = {}
_clocks: dict[int, tuple[float, float]] = {}  # of each disk: its time, and the monotonic clock's at the same moment


def myself() -> bytes:
    """What this process writes into its claims, each time another text."""
    mine = {"host": platform.node(), "pid": os.getpid(), "machine": _machine(), "born": _born(os.getpid())}
    return json.dumps(mine | {"token": token_hex(16)}).encode() + b"\n"


def living(path: Path, content: bytes) -> Holder | None:
    """The holder of a claim, or None where it has ended, or counts as gone.

    Args:
        path: of the claim's file.
        content: of the file.

    Raises:
        OSError: the file cannot be looked at.
    """
    said = _read(content)
    host, pid = (said["host"], said["pid"]) if said else (None, None)
    if said and said["machine"] is not None and said["machine"] == _machine():
        lives = _lives(said["pid"], said["born"])
        if lives is not None:
            return Holder(host, pid, 0.0, True) if lives else None
    # Before the look, or a halt here would count as silence there.
    now, here = _disk_time(path.parent), time.monotonic()
    beat = path.stat().st_mtime
    seen = _sightings.setdefault((path, content), _Sighting(beat, beat, time.monotonic()))
    if seen.beat != beat:
        seen.beat, seen.since = beat, time.monotonic()
    watched = here - seen.since
    if watched >= SILENT or (watched >= WATCHED and now - beat >= SILENT):
        return None
    return Holder(host, pid, max(0.0, now - beat), seen.beat != seen.first)


def _read(content: bytes) -> dict[str, Any] | None:
    """What `myself` has written, or None where it is damaged."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return None
    kinds = {"host": str, "pid": int, "machine": str | None, "born": str | None}
    whole = isinstance(said, dict) and all(isinstance(said.get(key), kind) for key, kind in kinds.items())
    return said if whole else None


@cache
def _machine() -> str | None:
    """Names the processes that this one can see, until the machine starts anew; None where nobody can say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{platform.node()} {boot} {Path('/proc/self/ns/pid').readlink()}"  # a container sees its own alone
    except OSError:  # macOS has no /proc, and no process there is hidden from another
        return f"{platform.node()} {uuid.getnode()}" if sys.platform == "darwin" else None


def _lives(pid: int, born: str | None) -> bool | None:
    """Whether a process of this machine that began then still runs; None where nobody can say."""
    present = _born(pid) if born is not None else None
    if present is not None:
        return present == born
    with suppress(PermissionError, OverflowError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return None  # there is one, which hides


def _born(pid: int) -> str | None:
    """When a process of this machine began, which tells it from a later one of its number; None if that is hidden."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return "never" if words[0] in "ZX" else words[19]  # a zombie has ended


def _disk_time(folder: Path) -> float:
    """The present time of the disk on which a folder lies; of this machine where nobody may write there."""
    disk, here = folder.stat().st_dev, time.monotonic()
    if disk not in _clocks or here - _clocks[disk][1] > SILENT:
        probe = folder / f".clock.{token_hex(8)}{PARTIAL}"
        try:
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        except OSError:
            return time.time()
        try:
            _clocks[disk] = os.fstat(descriptor).st_mtime, here
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)
    then, at = _clocks[disk]
    return then + here - at
