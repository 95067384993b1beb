"""Tables of runs without runs, and reports without pictures."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lipbench.measures import COLUMNS
from lipbench.reports import page, pictures
from lipbench.reports.reading.columns import NAMES, dtypes


def table(rows: Iterable[dict[str, Any]], **shared: Any) -> pd.DataFrame:
    """The columns of ``runs.csv``, filled in as far as is needed."""
    filled = []
    for place, given in enumerate(rows):
        row = (
            {"dataset": "digits", "seed": 0, "status": "done", "protocol": "mine", "comparison": "c1"} | shared | given
        )
        own = {"run_id": f"run-{place}", "comparison_id": f"{row['dataset']}-{row['comparison']}", "part": ""}
        filled.append(own | row)
    return pd.DataFrame(filled, dtype=object).reindex(columns=[*NAMES, "comparison_id", "part"]).astype(dtypes(COLUMNS))


def leave_out_pictures(patch: pytest.MonkeyPatch) -> None:
    """Write the numbers of figures alone: pictures take nearly all of the time of a report."""
    patch.setattr(page, "press", _numbers_only)
    patch.setattr(pictures, "embedded", str)


@contextmanager
def _numbers_only(helpers: int) -> Iterator[Callable[[Any, Path], None]]:
    """A press that writes no pictures."""
    yield lambda drawing, stem: drawing.data.to_csv(stem.with_name(f"{stem.name}.csv"), index=False)
