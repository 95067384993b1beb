"""What the runs of a comparison are made from: the digests that stand with their yardsticks, and guard them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lipbench.disk.files import read_object, to_json, write_atomically
from lipbench.disk.places import exclusive
from lipbench.errors import RequestError, StoreError
from lipbench.request.cell import Cell


def yardstick_path(results: Path, cell: Cell) -> Path:
    """Where the yardsticks of a comparison are."""
    return results / "yardsticks" / f"{cell.comparison_id}.json"


def check(results: Path, cell: Cell, present: Mapping[str, str]) -> bool:
    """See that a run is made from what those before it were made from, and from what it was planned with.

    Args:
        results: the results folder.
        cell: the run's.
        present: digests of the data, and the extractor where there is one.

    Returns:
        Whether there are yardsticks; without, the run is the first.

    Raises:
        RequestError: it is made from others.
        StoreError: the yardsticks are damaged, so that nobody knows what the runs beside them were made from.
    """
    path = yardstick_path(results, cell)
    try:
        known = read_object(path)
    except FileNotFoundError:
        return False
    except StoreError as error:
        raise StoreError(_lost(str(error).partition(";")[0])) from None
    for key, digest in present.items():
        planned: Any = known.get(key)
        if not isinstance(planned, str):
            raise StoreError(_lost(f"{str(path)!r} is damaged ({key} is missing or no text)"))
        if planned != digest:
            raise RequestError(
                f"{cell.dataset} has {key} {digest}, and the runs in {str(results)!r} are planned with {key} "
                f"{planned}; expected the same, or numbers of one table could not be compared: restore them, or "
                f"choose another --results"
            )
    return True


@contextmanager
def preparing(results: Path, cell: Cell) -> Iterator[None]:
    """Wait until no other process measures the yardsticks of this comparison; errors as of `write_yardsticks`."""
    path = yardstick_path(results, cell)
    _make(path.parent)
    with exclusive(path.with_name(f".{path.name}.lock")):
        yield


def write_yardsticks(results: Path, cell: Cell, record: Mapping[str, Any]) -> None:
    """Keep what the numbers of a comparison are compared with, and what its runs are made from.

    Raises:
        StoreError: the results folder cannot be written to.
    """
    path = yardstick_path(results, cell)
    _make(path.parent)
    write_atomically(path, to_json(record))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{str(folder)!r} cannot be made: {error.strerror}; free space, or choose another --results"
        ) from None


def _lost(reason: str) -> str:
    return (
        f"{reason}; expected the digests of the data that the runs beside it were made from: if the data have not "
        f"changed since, move the file away and it is made again; else choose another --results"
    )
