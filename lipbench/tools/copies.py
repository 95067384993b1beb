"""Copies of one run in several results folders: each checked, two compared, one brought into another folder."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from shutil import copyfileobj, move
from typing import Any

from lipbench.disk.files import PARTIAL, damaged, read_bytes
from lipbench.disk.store import CLAIM, RunFolder
from lipbench.errors import StoreError, shortened
from lipbench.measures import VARYING
from lipbench.request import cell as cells
from lipbench.request.cell import Cell

CLAIMS = ("lock", f"{CLAIM}.*")  # files of whoever works on a run


@dataclass(frozen=True)
class Copy:
    """A run as one results folder holds it.

    Attributes:
        folder: of the run.
        cell: what was asked.
        basis: what it was made from, and other texts of its result.
        finished: whether it has a result.
        rank: grows with what is known of the run; of copies that are as far, a digest decides.
    """

    folder: RunFolder
    cell: Cell
    basis: dict[str, str]
    finished: bool
    rank: tuple[bool, int, str]


def read(folder: RunFolder) -> Copy:
    """Read a run folder, and see that it is whole.

    Raises:
        StoreError: one of its files is damaged, or is not the run's.
        OSError: it cannot be read.
    """
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    for name, digest in cell.copies.items():
        if sha256(read_bytes(folder.file(name))).hexdigest() != digest:
            raise StoreError(damaged(folder.file(name), "not the file that the run was asked with"))
    result = folder.result()
    trace, problem = folder.trace()
    if result is not None and problem:
        raise StoreError(f"{problem}; remove the folder, or restore the file")
    made: dict[str, Any] = result or {}
    if result is None:
        with suppress(StoreError):  # written anew when the run goes on
            made = folder.read_json("basis.json") or {}
    rank = result is not None, trace[-1]["step"] if trace else 0, _digest(folder)
    basis = {key: text for key, text in made.items() if isinstance(text, str)}
    return Copy(folder, cell, basis, result is not None, rank)


def _digest(folder: RunFolder) -> str:
    """A digest of what the run has come to."""
    content = sha256()
    for name in ("result.json", "error.json", "trace.jsonl"):
        with suppress(FileNotFoundError):
            content.update(read_bytes(folder.file(name)))
    return content.hexdigest()


def differing(one: Copy, other: Copy) -> list[str]:
    """What differs between two finished copies of a run, `VARYING` aside, with both values.

    What one of them has not is no difference: another version of lipbench measured less.
    """
    found = []
    records = [[copy.folder.result() or {}, *copy.folder.trace()[0]] for copy in (one, other)]
    if len(records[0]) != len(records[1]):
        found.append(f"{len(records[0]) - 1} and {len(records[1]) - 1} evaluations")
    for place, (mine, theirs) in enumerate(zip(*records, strict=False)):
        where = f" at step {mine['step']}" if place else ""
        found += [
            f"{key}{where} is {shortened(repr(value))} and {shortened(repr(theirs[key]))}"
            for key, value in mine.items()
            if key in theirs and key not in VARYING and theirs[key] != value
        ]
    return found


def files(folder: RunFolder) -> list[Path]:
    """The files of a run, relative to its folder: all but those of whoever works on it, and half-written ones.

    Raises:
        StoreError: something in the folder cannot be copied.
        OSError: it cannot be read.
    """
    found = []
    for place, inner, names in os.walk(folder.path, onerror=_refuse):
        if Path(place) == folder.path:
            inner[:], names = ([name for name in each if not _is_claim(name)] for each in (inner, names))
        for path in [Path(place, name) for name in inner]:
            if path.is_symlink():  # it may lead to a folder above
                raise StoreError(f"{str(path)!r} is a link to a folder; expected the folder itself")
        for path in [Path(place, name) for name in names if not name.endswith(PARTIAL)]:
            if not stat.S_ISREG(path.stat().st_mode):
                raise StoreError(f"{str(path)!r} is no plain file; move it away")
            if not os.access(path, os.R_OK):
                raise StoreError(f"{str(path)!r} cannot be read; give yourself the permission to read it")
            found.append(path.relative_to(folder.path))
    return found


def _refuse(error: OSError) -> None:
    raise error


def _is_claim(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in CLAIMS)


def stage(copy: Copy, staging: Path) -> Copy:
    """Copy a run whole into a folder of its name in `staging`, and read it there; errors as of `files` and `read`."""
    made = RunFolder(staging / copy.folder.id)
    for name in files(copy.folder):
        made.file(str(name)).parent.mkdir(parents=True, exist_ok=True)
        with copy.folder.file(str(name)).open("rb") as source, made.file(str(name)).open("wb") as file:
            copyfileobj(source, file, 2**20)
            file.flush()
            os.fsync(file.fileno())
    return read(made)


def replace(attempt: RunFolder, finished: RunFolder) -> None:
    """Set an unfinished attempt aside and move a finished copy in; the caller holds the attempt's lock.

    A process that is killed in the middle leaves a run that is not finished, as the result comes last.
    """
    attempt.set_aside()
    for name in sorted(files(finished), key=lambda name: name == Path("result.json")):
        place = attempt.file(str(name))
        # What earlier attempts elsewhere have left would mix with what was set aside here.
        if not name.parts[0].startswith("attempt-") and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            attempt.check_claim()
            move(finished.file(str(name)), place)
