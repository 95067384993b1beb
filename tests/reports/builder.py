"""Tables of runs, without runs."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lipbench.measures import COLUMNS
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
