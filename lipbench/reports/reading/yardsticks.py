"""The yardsticks of a comparison: what the same measures say of real pictures and of noise."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lipbench.disk.files import damaged, read_object
from lipbench.errors import StoreError
from lipbench.reports.reading.bases import BASIS
from lipbench.reports.reading.columns import BY_NAME, expected

Measured = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Yardsticks:
    """Of one comparison; empty if there are none yet.

    Attributes:
        measured: ``real`` and ``noise``, each with ``fid``, ``inception_score`` (None without one) and ``samples``.
        basis: what they were made from, as far as they say it.
    """

    measured: Measured = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)


def read(results: Path, comparison_id: str) -> Yardsticks:
    """The yardsticks of a comparison.

    Raises:
        StoreError: the file is damaged, or cannot be read.
    """
    path = results / "yardsticks" / f"{comparison_id}.json"
    try:
        content = read_object(path)
    except FileNotFoundError:
        return Yardsticks()
    try:
        basis = {key: _checked(key, content[key]) for key in BASIS if key in content}
        # A pair of known distance needs neither.
        return Yardsticks(
            {} if "pair" in content else {key: _numbers(content[key]) for key in ("real", "noise")}, basis
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(damaged(path, str(error))) from None


def _numbers(record: Any) -> dict[str, Any]:
    score = record.get("inception_score")
    return {
        "fid": float(_checked("fid", record["fid"])),
        "samples": _checked("samples", record["samples"]),
        "inception_score": None if score is None else _checked("inception_score", score),
    }


def _checked(name: str, value: Any) -> Any:
    words = expected(BY_NAME[name], value)
    if words is not None:
        raise ValueError(f"{name} is {value!r}, expected {words}")
    return value
