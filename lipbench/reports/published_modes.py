"""Modes that others reported, beside ours where the data are of the same shape.

`published_modes.csv` holds the tables of PacGAN and VEEGAN as their authors show them in their repositories,
https://github.com/fjxmlzn/PacGAN and https://github.com/akashgit/VEEGAN. Settings are those of the code that they
published; it logs no reverse KL of rings and grids, so that how theirs was taken could not be checked.
"""

from typing import Any

import pandas as pd

from lipbench.reports.published import base, ours, reported, shown, spread
from lipbench.reports.statistics.intervals import UNKNOWN

SOURCE = (
    "Reported by Lin et al. 2018 (PacGAN, arXiv:1712.04086) and Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761), "
    "with other networks, optimisers and many more steps: the last column says what is known to differ. Such numbers "
    "do not rank with ours. High quality is a share of the samples; the KL is of generated from real modes, in nats."
)
MINE = ["method", "n", "diverged", "modes", "high quality", "modes KL"]
THEIRS = {"their modes": "modes", "their high quality": "high_quality", "their modes KL": "kl"}


def table(runs: pd.DataFrame) -> pd.DataFrame | None:
    """Ours, of one comparison, and theirs, row by row, for people; None where nothing was published on the data."""
    published = reported("modes")
    theirs = published[published["dataset"] == runs["dataset"].iloc[0]].to_dict("records")
    if not theirs or runs["modes_covered"].isna().all():
        return None
    mine = ours(runs)
    counterparts = {record["method"]: record for record in theirs if isinstance(record["method"], str)}
    rows = [_row(own, counterparts.get(base(method), {})) for method, own in mine.items()]
    alone = [record for record in theirs if record["method"] not in map(base, mine)]
    return pd.DataFrame(rows + [_row({}, record) for record in alone])


def _row(mine: dict[str, str], theirs: dict[Any, Any]) -> dict[str, str]:
    return {
        **shown(mine, MINE),
        "reported as": f"{theirs['label']}, {theirs['source']}" if theirs else UNKNOWN,
        **{title: spread(theirs[key], theirs[f"{key}_spread"]) if theirs else UNKNOWN for title, key in THEIRS.items()},
        "differs in": theirs.get("note", UNKNOWN),
    }
