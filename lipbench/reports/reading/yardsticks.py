"""The yardsticks of a comparison: what the same measures say of real pictures and of noise."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lipbench.disk.files import damaged, read_object
from lipbench.errors import StoreError
from lipbench.reports.reading.bases import BASIS
from lipbench.reports.reading.columns import BY_NAME, expected

MODES = ["modes", "modes_covered", "modes_kl"]
POINTS = ["sample_w1", "high_quality", *MODES]
Measured = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Yardsticks:
    """Of one comparison; empty if there are none yet.

    Attributes:
        measured: ``real`` and ``noise``, each with ``samples`` and with ``fid`` and ``inception_score`` (None without
            one), or with ``sample_w1``, and with the numbers of modes where there are some.
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
        # A pair of known distance needs neither, and data of one point have none.
        needless = "pair" in content or ("points" in content and not {"real", "noise"} & content.keys())
        return Yardsticks({} if needless else {key: _numbers(content[key]) for key in ("real", "noise")}, basis)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(damaged(path, str(error))) from None


def _numbers(record: Any) -> dict[str, Any]:
    found = {"samples": _checked("samples", record["samples"])}
    if "sample_w1" in record:
        known = [name for name in POINTS if record.get(name) is not None]
    else:
        score = record.get("inception_score")
        found |= {
            "fid": float(_checked("fid", record["fid"])),
            "inception_score": None if score is None else _checked("inception_score", score),
        }
        known = [name for name in MODES if record.get(name) is not None]
    return found | {name: _checked(name, record[name]) for name in known}


def _checked(name: str, value: Any) -> Any:
    words = expected(BY_NAME[name], value)
    if words is not None:
        raise ValueError(f"{name} is {value!r}, expected {words}")
    return value
