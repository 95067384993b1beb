"""Kernel locks: a process that dies, however it dies, holds nothing."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipbench.errors import StoreError

_held: set[int] = set()  # descriptors of locks of this process


def _drop() -> None:
    """Let a child that a plugin forks hold nothing: it may outlive the run."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_drop)


@contextmanager
def held(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a lock for the block; gives False where another process holds it.

    Args:
        path: of the lock's file, which is made.
        wait: whether to wait for as long as another process holds it.

    Raises:
        StoreError: the file cannot be made, or its disk cannot lock files.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise _not_opened(path, error) from None
    _held.add(descriptor)
    try:
        yield _lock(descriptor, path, fcntl.LOCK_EX, patience=None if wait else 10)
    finally:
        if descriptor in _held:
            _held.discard(descriptor)
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock; errors as of `held`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _not_opened(path, error) from None
    try:
        return not _lock(descriptor, path, fcntl.LOCK_SH, patience=0)
    finally:
        os.close(descriptor)


def _not_opened(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{str(path)!r} cannot be opened: {error.strerror}; expected a file that can be locked")


def _lock(descriptor: int, path: Path, kind: int, patience: int | None) -> bool:
    """Take a lock; patience bridges the instants in which `is_held` of another process holds it, None is for ever."""
    attempt = 0
    while True:
        try:
            fcntl.flock(descriptor, kind if patience is None else kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if patience is not None and attempt >= patience:
                return False
            attempt += 1
            time.sleep(0.02)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "unknown")
            raise StoreError(
                f"{str(path)!r} lies on a disk that cannot lock files ({name}: {error.strerror}); expected a local "
                f"disk, or a network disk that is mounted with locks: choose another folder"
            ) from None
