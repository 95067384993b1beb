"""Claims: who works in a folder says so in a file there, so that one process does, on whatever disk.

A claim is a file with a number, ``claim.7``; the highest number counts, and none is used twice. It is made by a hard
link, which is there whole or not at all, and fails where another was quicker: that holds on NFS, Lustre and GPFS, where
kernel locks need not. Its holder sets the file's time again and again. A claim can be taken over when its process has
ended, which is known at once on its own machine, and by its silence on any other. Times are those of the file's own
disk, never of two clocks. Whoever takes a claim over ends the earlier one first, and its holder looks at its claim each
time before it writes.

What no file can exclude: a holder that is halted for longer than `SILENT` between that look and its writing.
"""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from lipbench.disk.files import PARTIAL, read_bytes
from lipbench.disk.holders import BEAT, SILENT, Holder, living, myself
from lipbench.errors import StoreError

ENDED = b"ended\n"
MOST = 4096  # bytes
UNLINKED = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}  # what disks without hard links say


class ClaimLostError(StoreError):
    """Another process has taken the claim over."""


class Claim:
    """What this process holds.

    Args:
        path: of the claim's file.
        content: what was written there.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self._content, self._process = path, content, os.getpid()
        self._done = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def check(self) -> None:
        """See that it is still held; a child that was forked holds nothing.

        Raises:
            ClaimLostError: another process has it.
        """
        if os.getpid() != self._process or _content(self.path) != self._content:
            raise ClaimLostError(
                f"{str(self.path)!r} is no longer held by this process: it gave no sign of life for {SILENT:g} s, and "
                f"another has taken its work over; expected a process that is not halted, and a disk that answers"
            )

    def release(self) -> None:
        """Give it back, where it is still held."""
        self._done.set()
        with suppress(StoreError):
            self.check()
            _end(self.path)

    def _beat(self) -> None:
        while not self._done.wait(BEAT):
            try:
                self.check()
                os.utime(self.path)  # the disk's own time
            except ClaimLostError:
                return
            except (OSError, StoreError):  # the disk may answer again
                continue


@contextmanager
def held(place: Path, *, wait: bool = False) -> Iterator[Claim | None]:
    """Hold a claim for the block; gives None where another process has it.

    Args:
        place: the path of its files, without their numbers.
        wait: whether to wait for as long as another process has it.

    Raises:
        StoreError: the file cannot be made.
    """
    claim, pause = _take(place), 0.02
    while claim is None and wait:
        time.sleep(pause)
        claim, pause = _take(place), min(1.0, 2 * pause)
    try:
        yield claim
    finally:
        if claim is not None:
            claim.release()


def holder(place: Path) -> Holder | None:
    """Who has the claim, or None where it can be taken, as that of a process which has ended on this machine.

    Raises:
        StoreError: its files cannot be read.
    """
    number = max(_files(place), default=0)
    path = _path(place, number)
    content = _content(path) if number else None
    try:
        return None if content is None or content.startswith(ENDED) else living(path, content)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None


def _take(place: Path) -> Claim | None:
    newest = max(_files(place), default=0)
    if holder(place) is not None:
        return None
    path, content = _path(place, newest + 1), myself()
    try:
        if not _create(path, content):
            return None
        present = _files(place)
        if max(present, default=0) > newest + 1:  # between look and creation another has come, and gone
            _end(path)
            return None
        for number, earlier in present.items():
            if number <= newest:
                _discard(earlier)
        return Claim(path, content)
    except BaseException as error:  # nobody would give it back for as long as this process lives
        with suppress(StoreError):
            if _content(path) == content:
                _end(path)
        if isinstance(error, OSError):
            raise _unusable(path, error) from None
        raise


def _path(place: Path, number: int) -> Path:
    return place.with_name(f"{place.name}.{number}")


def _files(place: Path) -> dict[int, Path]:
    """The files of a claim by their numbers."""
    start = f"{place.name}."
    try:
        with os.scandir(place.parent) as entries:
            names = [entry.name.removeprefix(start) for entry in entries if entry.name.startswith(start)]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(place.parent, error) from None
    return {int(name): _path(place, int(name)) for name in names if name.isdecimal()}


def _content(path: Path) -> bytes | None:
    try:
        return read_bytes(path, MOST)
    except FileNotFoundError:
        return None


def _create(path: Path, content: bytes) -> bool:
    """Make a claim's file with its content; False where there is one."""
    beside = path.with_name(f".{path.name}.{token_hex(8)}{PARTIAL}")
    try:
        _write(beside, content, os.O_CREAT | os.O_EXCL)
        return _link(beside, path, content)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _link(beside: Path, path: Path, content: bytes) -> bool:
    try:
        os.link(beside, path)
    except OSError as error:
        try:
            if beside.stat().st_nlink == 2:  # the answer of a network disk was lost, not the link
                return True
        except FileNotFoundError:  # swept up by a process that has claimed the folder
            return False
        if error.errno == errno.EEXIST:
            return False
        if error.errno not in UNLINKED:
            raise
        try:
            _write(path, content, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
    return True


def _end(path: Path) -> None:
    """Say in a claim's file that it is over: in place, so that no network disk shows its holder the earlier content."""
    try:
        _write(path, ENDED, 0)
    except OSError:  # it is another user's, or a link, or the disk is full
        with suppress(OSError):
            path.unlink()


def _discard(path: Path) -> None:
    """End an earlier claim, as its holder, should it wake, finds, and remove its file."""
    _end(path)
    try:
        path.unlink(missing_ok=True)
    except OSError:  # in a folder such as /tmp what is another user's stays
        if not (_content(path) or ENDED).startswith(ENDED):
            raise


def _write(path: Path, content: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | flags, 0o666)
    try:
        os.write(descriptor, content)
        os.ftruncate(descriptor, len(content))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{str(path)!r} cannot be used to claim the work there: {error.strerror}; expected a folder that you may write "
        f"to: give yourself the permission, free space, or choose another folder"
    )
