"""Files on disk: written whole or not at all, and read without trust in what may stand in their place."""

import errno
import json
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from lipbench.errors import StoreError

MOST = 2**28  # bytes of a text that is read whole: 256 MiB, far more than any run writes
PARTIAL = ".partial"  # the end of the name of what is being written

CURES = {
    errno.EACCES: "give yourself the permission to read it",
    errno.EPERM: "give yourself the permission to read it",
    errno.EIO: "the disk fails: copy what is left of it",
}
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def write_atomically(path: Path, content: str | bytes, check: Callable[[], None] = lambda: None) -> None:
    """Write the whole file or nothing: a reader never sees a part of it.

    Args:
        path: of the file.
        content: of the file.
        check: called last before the file takes its place; what it raises leaves everything as it was.

    Raises:
        StoreError: it cannot be written.
    """
    # Not the process id: two containers on one disk are both number 1.
    beside = path.with_name(f".{path.name[:100]}.{token_hex(8)}{PARTIAL}")
    # A path that is no text, as Python holds it, is written in escapes.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        check()
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StoreError(
            f"{str(path)!r} cannot be written: {error.strerror}; free space there, or choose another folder"
        ) from None


def sweep(folders: Iterable[Path]) -> None:
    """Remove what writers that were killed have left in folders, and below, in which nobody else writes."""
    for folder in folders:
        for beside in folder.rglob(f".*{PARTIAL}"):
            beside.unlink(missing_ok=True)


def to_json(record: Any) -> str:
    """JSON without NaN: a number that is not finite becomes null, as in every table of lipbench."""
    return json.dumps(finite(record), indent=1, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """The same record, with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value


def read_bytes(path: Path, most: int = MOST, *, end: bool = False) -> bytes:
    """Read a plain file, whatever it may have been replaced by; a pipe is not waited for.

    Args:
        path: of the file.
        most: the most bytes that it may have.
        end: whether to read that many at its end where it is larger.

    Raises:
        FileNotFoundError: there is none.
        StoreError: it cannot be read, is no plain file, or is larger.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise StoreError(_unreadable(path, error)) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            kind = KINDS.get(stat.S_IFMT(found.st_mode), "no plain file")
            raise StoreError(f"{str(path)!r} is {kind}; expected a file: move it away")
        if found.st_size > most and not end:
            raise StoreError(
                f"{str(path)!r} has {found.st_size:,} bytes; expected at most {most:,}: it is damaged, move it away"
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            file.seek(max(0, found.st_size - most))
            return file.read()
    except OSError as error:
        raise StoreError(_unreadable(path, error)) from None
    finally:
        os.close(descriptor)


def read_text(path: Path, most: int = MOST) -> str:
    """Read a file of text; errors as of `read_bytes`, and what is not UTF-8 is damaged."""
    try:
        return read_bytes(path, most).decode()
    except UnicodeDecodeError as error:
        raise StoreError(damaged(path, f"not UTF-8 at byte {error.start}")) from None


def read_object(path: Path, most: int = MOST) -> dict[str, Any]:
    """Read a JSON object; errors as of `read_text`, and what is no object is damaged."""
    text = read_text(path, most)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise StoreError(damaged(path, reason)) from None
    if not isinstance(content, dict):
        raise StoreError(damaged(path, f"{type(content).__name__} in place of an object"))
    return content


def damaged(path: Path, reason: str) -> str:
    """What is said of a file whose content cannot be used."""
    return f"{str(path)!r} is damaged ({reason}); remove it and run again"


def _unreadable(path: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    number = error.errno if isinstance(error, OSError) else None
    return f"{str(path)!r} cannot be read: {reason}; {CURES.get(number or 0, 'expected a plain file')}"
