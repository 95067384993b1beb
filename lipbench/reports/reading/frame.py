"""The runs as pandas frames: a row a run, and a row an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lipbench.disk.results import has_runs, run_folders
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError
from lipbench.measures import COLUMNS, COUNTS, DECIDING, Column
from lipbench.reports.reading import added, bases, records, yardsticks
from lipbench.reports.reading.columns import NAMES, dtypes, installed
from lipbench.reports.reading.records import Run
from lipbench.reports.reading.yardsticks import Measured, Yardsticks
from lipbench.request.cell import Cell

# A measure that decides, the yardstick, and the column that holds what it has.
ANCHORS = [
    (column.name, key, name)
    for column in DECIDING
    for key, name in (("real", column.real), ("noise", column.untrained))
    if isinstance(name, str) and name
]


@dataclass(frozen=True)
class Frames:
    """Everything that a results folder holds, and what was added to it.

    Attributes:
        columns: those of ``runs.csv``, and of the measures that runs were asked to take.
        runs: a row a run, `columns`, its comparison_id, and the name of its part of a comparison that is parted (see
            `bases`); what was not measured is empty.
        traces: a row an evaluation, what is drawn of it, with the run's id, method and comparison_id.
        folders: the folder of each run id; runs that were added have none.
        yardsticks: real pictures and noise by the measures of each comparison_id, as far as they are known.
        protocols: every setting of each comparison by dotted key, where they are known.
        problems: what could not be read, in sentences.
    """

    columns: list[Column]
    runs: pd.DataFrame
    traces: pd.DataFrame
    folders: dict[str, RunFolder]
    yardsticks: dict[str, Measured]
    protocols: dict[str, dict[str, Any]]
    problems: list[str]

    def known(self, runs: pd.DataFrame) -> list[Column]:
        """The columns of some of its runs: of measures that they were asked to take, those that any of them has."""
        return [column for column in self.columns if column.name in NAMES or runs[column.name].notna().any()]


def read(results: Path, add: Sequence[Path] = ()) -> Frames:
    """Read every run folder, and tables of runs that were made elsewhere.

    A damaged folder is named and left out, and never hides another.

    Args:
        results: the results folder; it may be missing where something is added.
        add: tables of runs.

    Raises:
        RequestError: a table that is added is not one.
        StoreError: there are no runs at all.
    """
    read_runs: list[Run] = []
    problems: list[str] = []
    for folder in run_folders(results) if has_runs(results) or not add else []:
        try:
            run = records.read(folder)
        except (StoreError, OSError) as error:
            problems.append(f"{folder.id} is left out: {error}")
            continue
        read_runs.append(run)
        problems += run.problems
    read_cells = [run.cell for run in read_runs]
    columns, told = _columns(read_runs, installed() if add else [])
    problems += told
    runs = pd.DataFrame([run.row for run in read_runs], dtype=object)
    runs = runs.reindex(columns=[*(column.name for column in columns), "comparison_id"])
    runs = runs.assign(method=_labels(read_cells))
    found = _yardsticks(results, runs["comparison_id"], problems)
    # Before any are added, which may not contradict the yardsticks.
    runs = _anchored(runs, *_parted(runs, found)[:2])
    for path in add:
        runs, told = added.join(runs, path, columns)
        problems += told
    if runs.empty:
        reason = f": {problems[0]}" if problems else ""
        raise StoreError(f"there are no readable runs in {str(results)!r}{reason}; run some first: lipbench run")
    parted, measured, told = _parted(runs, found)
    runs = _anchored(runs, parted, measured, len(read_cells)).assign(
        comparison_id=parted["comparison_id"], part=parted["part"]
    )
    problems += told
    runs = runs.astype(dtypes(columns))
    # What the choice of the best checkpoint would hide.
    runs["fid_gap"] = runs["fid"] - runs["fid_best"]
    protocols = {cell.comparison: _settings(cell) for cell in reversed(read_cells)}
    folders = {run.folder.id: run.folder for run in read_runs}
    return Frames(columns, runs, _traces(runs, read_runs, columns), folders, measured, protocols, problems)


def _columns(runs: list[Run], others: list[Column]) -> tuple[list[Column], list[str]]:
    """Those of ``runs.csv`` and then those that runs declare and others, by name; and where declarations differ."""
    first: dict[str, tuple[Column, str]] = {}
    differing: dict[str, list[str]] = {}
    for run in runs:
        for name, column in run.declared.items():
            if first.setdefault(name, (column, run.folder.id))[0] != column:
                differing.setdefault(name, []).append(run.folder.id)
    told = [
        f"{name} is declared otherwise by {ids[0]}{f' and {len(ids) - 1} more' * (len(ids) > 1)} than by "
        f"{first[name][1]}, as which it is shown: compare its values only if they are of one thing"
        for name, ids in sorted(differing.items())
    ]
    for column in others:
        first.setdefault(column.name, (column, ""))
    titles = {*COUNTS, *(column.title for column in COLUMNS)}
    own = []
    for name, (column, _) in sorted(first.items()):
        # Two of one title would be one column of a table.
        taken = column.title in titles | (first.keys() - {name})
        own.append(replace(column, title=name) if taken else column)
        titles.add(own[-1].title)
    return [*COLUMNS, *own], told


def _yardsticks(results: Path, ids: pd.Series, problems: list[str]) -> dict[str, Yardsticks]:
    known: dict[str, Yardsticks] = {}
    for name in ids.unique():
        try:
            known[name] = yardsticks.read(results, name)
        except StoreError as error:
            problems.append(str(error))
    return known


def _parted(runs: pd.DataFrame, known: dict[str, Yardsticks]) -> tuple[pd.DataFrame, dict[str, Measured], list[str]]:
    """The runs as `bases.parted` parts them, the yardsticks of each part, and what a reader must know."""
    parted, told = bases.parted(runs, {name: found.basis for name, found in known.items()})
    measured: dict[str, Measured] = {}
    for name, found in known.items():
        parts = parted[runs["comparison_id"] == name].groupby("comparison_id")
        own = [str(part) for part, group in parts if found.measured and bases.belongs(group, found.basis)]
        measured |= dict.fromkeys(own, found.measured)
        if found.measured and not own:
            told.append(f"the yardsticks of {name} were not made from what its runs were made from, and are left out")
    return parted, measured, told


def _anchored(
    runs: pd.DataFrame, parted: pd.DataFrame, measured: dict[str, Measured], count: int | None = None
) -> pd.DataFrame:
    """The runs, the first `count` of them with what real samples and noise have; of the others a table says it."""
    runs, ids = runs.copy(), parted["comparison_id"].iloc[:count]
    for measure, key, column in ANCHORS:
        anchors = [measured.get(name, {}).get(key, {}).get(measure) for name in ids]
        runs[column] = pd.Series([*anchors, *runs[column].iloc[len(anchors) :]], index=runs.index, dtype=object)
    return runs


def _settings(cell: Cell) -> dict[str, Any]:
    """Every setting of a cell's protocol by its dotted key."""
    found: dict[str, Any] = {}
    for key, value in cell.protocol.model_dump(
        mode="json", exclude={"name", "datasets", "loss", "architecture"}
    ).items():
        found |= {f"{key}.{name}": inner for name, inner in value.items()} if isinstance(value, dict) else {key: value}
    return found


def _traces(runs: pd.DataFrame, read_runs: list[Run], columns: list[Column]) -> pd.DataFrame:
    counts = [len(run.evaluations) for run in read_runs]
    traces = pd.DataFrame({
        name: runs[name].iloc[: len(counts)].repeat(counts).to_numpy(dtype=object)  # the others have no trace
        for name in ("run_id", "method", "comparison_id")
    })  # fmt: skip
    shared = [np.empty((0, len(records.TRACED))), *(run.evaluations[:, : len(records.TRACED)] for run in read_runs)]
    traces[records.TRACED] = np.concatenate(shared)
    for column in columns[len(COLUMNS) :]:
        traces[column.name] = np.concatenate([np.empty(0), *(run.evaluated(column.name) for run in read_runs)])
    return traces.astype({"step": int})


def _labels(read_cells: list[Cell]) -> list[str]:
    """Tell versions of a user's own file apart: the same name with different contents gets part of its digest."""
    digests = ["+".join(part.version for part in cell.methods if part.version) for cell in read_cells]
    versions: dict[str, set[str]] = {}
    for cell, digest in zip(read_cells, digests, strict=True):
        versions.setdefault(cell.method, set()).add(digest)
    return [
        f"{cell.method}@{digest}" if len(versions[cell.method]) > 1 else cell.method
        for cell, digest in zip(read_cells, digests, strict=True)
    ]
