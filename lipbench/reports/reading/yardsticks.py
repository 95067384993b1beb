"""The yardsticks of a comparison: what the same measures say of real pictures and of noise."""

import json
from pathlib import Path
from typing import Any

from lipbench.errors import StoreError
from lipbench.reports.reading.columns import is_number


def read(results: Path, comparison_id: str) -> dict[str, dict[str, Any]]:
    """The yardsticks of a comparison, empty if there are none yet.

    Returns:
        ``real`` and ``noise``, each with ``fid``, ``inception_score`` (None without one) and ``samples``.

    Raises:
        StoreError: the file is damaged.
    """
    path = results / "yardsticks" / f"{comparison_id}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        # A pair of known distance needs neither.
        return {} if "pair" in content else {key: _numbers(content[key]) for key in ("real", "noise")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"the yardsticks in {path} are damaged ({error}); remove the file and run again") from None


def _numbers(record: Any) -> dict[str, Any]:
    score = record.get("inception_score")
    found = {
        "fid": record["fid"],
        "samples": record["samples"],
        **({} if score is None else {"inception_score": score}),
    }
    for name, value in found.items():
        if not is_number(value):
            raise ValueError(f"{name} is {value!r}, expected a number")
    return {"fid": float(record["fid"]), "samples": int(record["samples"]), "inception_score": score}
