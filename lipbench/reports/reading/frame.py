"""The runs as pandas frames: a row a run, and a row an evaluation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lipbench import cell as cells
from lipbench.cell import Cell
from lipbench.errors import StoreError
from lipbench.reports.reading import records
from lipbench.reports.reading.columns import COLUMNS, KINDS
from lipbench.results import run_folders
from lipbench.store import RunFolder


@dataclass(frozen=True)
class Frames:
    """Everything that a results folder holds.

    Attributes:
        runs: a row a run, the columns of ``runs.csv``; what was not measured is empty.
        traces: a row an evaluation, what is drawn of it, with the run's method and comparison_id.
        folders: the folder of each run id.
        problems: what could not be read, in sentences.
    """

    runs: pd.DataFrame
    traces: pd.DataFrame
    folders: dict[str, RunFolder]
    problems: list[str]


def read(results: Path) -> Frames:
    """Read every run folder; a damaged one is named and left out, and never hides another.

    Raises:
        StoreError: there are no runs at all.
    """
    rows: list[dict[str, Any]] = []
    read_cells: list[Cell] = []
    evaluations: list[NDArray[np.float64]] = []
    folders: dict[str, RunFolder] = {}
    problems: list[str] = []
    for folder in run_folders(results):
        try:
            cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
            trace, damaged = records.evaluations(folder)
            rows.append(records.row(folder, cell, int(trace[-1, 0]) if len(trace) else 0))
        except (StoreError, OSError) as error:
            problems.append(f"{folder.id} is left out: {error}")
            continue
        read_cells.append(cell)
        evaluations.append(trace)
        folders[folder.id] = folder
        problems += damaged
    if not rows:
        reason = f": {problems[0]}" if problems else ""
        raise StoreError(f"there are no readable runs in {str(results)!r}{reason}; run some first: lipbench run")
    runs = pd.DataFrame(rows).reindex(columns=[*COLUMNS, "comparison_id"])
    runs["method"] = _labels(read_cells)
    runs = runs.astype(KINDS)
    # What the choice of the best checkpoint would hide.
    runs["fid_gap"] = runs["fid"] - runs["fid_best"]
    return Frames(runs, _traces(runs, evaluations), folders, problems)


def _traces(runs: pd.DataFrame, evaluations: list[NDArray[np.float64]]) -> pd.DataFrame:
    traces = pd.DataFrame(np.concatenate(evaluations), columns=records.EVALUATION).astype({"step": int})
    counts = [len(trace) for trace in evaluations]
    for place, name in enumerate(["method", "comparison_id"]):
        traces.insert(place, name, runs[name].repeat(counts).to_numpy(dtype=object))
    return traces


def _labels(read_cells: list[Cell]) -> list[str]:
    """Tell versions of a user's own file apart: the same name with different contents gets part of its digest."""
    digests = ["+".join(part.sha256[:6] for part in cell.methods if part.sha256) for cell in read_cells]
    versions: dict[str, set[str]] = {}
    for cell, digest in zip(read_cells, digests, strict=True):
        versions.setdefault(cell.method, set()).add(digest)
    return [
        f"{cell.method}@{digest}" if len(versions[cell.method]) > 1 else cell.method
        for cell, digest in zip(read_cells, digests, strict=True)
    ]
