"""What the runs of a comparison are made from: the digests that stand with their yardsticks, and guard them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipbench.cell import Cell
from lipbench.errors import RequestError
from lipbench.files import read_object


def yardstick_path(results: Path, cell: Cell) -> Path:
    """Where the yardsticks of a comparison are."""
    return results / "yardsticks" / f"{cell.comparison_id}.json"


def read(results: Path, cell: Cell) -> dict[str, Any]:
    """The yardsticks of a comparison, empty where none were measured yet.

    Raises:
        StoreError: they are damaged, so that nobody knows what the runs were made from.
    """
    try:
        return read_object(yardstick_path(results, cell))
    except FileNotFoundError:
        return {}


def check(known: Mapping[str, Any], present: Mapping[str, str], cell: Cell, results: Path) -> None:
    """See that a run is made from what those before it were made from, and from what it was planned with.

    Args:
        known: the yardsticks.
        present: digests of the data, and of the extractor with its weights.
        cell: the run's.
        results: the results folder.

    Raises:
        RequestError: it is not.
    """
    for key, digest in present.items():
        if known.get(key, digest) != digest:
            raise RequestError(
                f"{cell.dataset} has {key} {digest}, and the runs in {str(results)!r} are planned with {key} "
                f"{known[key]}; expected the same, or numbers of one table could not be compared: restore them, or "
                f"choose another --results"
            )
