"""Arrays in the cache folder: read without running code from them, and made anew where a file cannot be used.

Each file names what it holds, and its check sums tell of damage.
"""

import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import Any
from zipfile import ZIP_STORED

import numpy as np
from numpy.typing import NDArray

from lipbench.disk.files import write_atomically
from lipbench.errors import StoreError

Arrays = dict[str, NDArray[Any]]
Note = Callable[[str], None]
SUBJECT = "subject"


class _UnusableError(Exception):
    """A file that is there and cannot be used; the message says why."""


def kept(path: Path, subject: str, make: Callable[[], Arrays], fits: Callable[[Arrays], bool], note: Note) -> Arrays:
    """The arrays of a file in the cache; where there is none that can be used they are made, and the file with them.

    Args:
        path: the file, whose name ends in ``.npz``.
        subject: all that decides the arrays; a file of another subject is not used.
        make: makes them.
        fits: whether arrays from a file have the names, kinds and shapes that are needed.
        note: is told of a file that cannot be used.

    Raises:
        StoreError: the cache cannot be written to.
    """
    try:
        return _read(path, subject, fits)
    except FileNotFoundError:
        pass
    except _UnusableError as error:
        note(f"The file {str(path)!r} of the cache {error}; it is made anew.")
    arrays = make()
    _write(path, subject, arrays)
    return arrays


def _read(path: Path, subject: str, fits: Callable[[Arrays], bool]) -> Arrays:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise _UnusableError("is no plain file")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if any(member.compress_type != ZIP_STORED for member in archive.zip.infolist()):
                raise _UnusableError("is compressed, as none of lipbench is")  # a few bytes could fill the memory
            arrays = {name: archive[name] for name in archive.files}
    except (FileNotFoundError, _UnusableError):
        raise
    except PermissionError:
        raise _UnusableError("cannot be read by you") from None
    except Exception as error:  # NumPy raises whatever the damage makes it trip over
        raise _UnusableError(f"is damaged ({' '.join(str(error).split())[:100] or type(error).__name__})") from None
    named = arrays.pop(SUBJECT, None)
    if named is None or named.shape != () or named.dtype.kind != "U" or str(named) != subject:
        raise _UnusableError("is of something else")
    if not fits(arrays):
        raise _UnusableError("holds something else than its name says")
    return arrays


def _write(path: Path, subject: str, arrays: Arrays) -> None:
    file = BytesIO()
    named: Any = {SUBJECT: np.array(subject), **arrays}
    np.savez(file, **named)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():  # no file can take its place, and it may hold something of worth
            path.rename(path.with_name(f"{path.name}.{token_hex(4)}.aside"))
        write_atomically(path, file.getvalue())
    except (OSError, StoreError) as error:
        reason = f"{str(path.parent)!r}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise StoreError(
            f"the cache cannot be written to: {reason}; expected room for what takes long to make: free space, or set "
            f"LIPBENCH_CACHE to another folder"
        ) from None
