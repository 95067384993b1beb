"""The runs as pandas frames: a row a run, and a row an evaluation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lipbench import cell as cells
from lipbench import store
from lipbench.cell import Cell
from lipbench.errors import StoreError
from lipbench.store import RunFolder, Status

COLUMNS = [
    "run_id",
    "method",
    "dataset",
    "architecture",
    "loss",
    "protocol",
    "comparison",
    "settings",
    "seed",
    "status",
    "steps",
    "fid",
    "fid_best",
    "best_step",
    "kid",
    "kid_std",
    "inception_score",
    "inception_score_std",
    "extractor",
    "samples",
    "split",
    "grad_norm_mean",
    "grad_norm_p95",
    "grad_norm_max",
    "raw_grad_norm_mean",
    "raw_grad_norm_p95",
    "raw_grad_norm_max",
    "secant_max",
    "w1_estimate",
    "seconds_train",
    "seconds_per_step",
    "seconds_evaluate",
    "peak_memory_bytes",
    "device",
    "diverged_at",
    "error",
]
TEXT = {
    "run_id", "method", "dataset", "architecture", "loss", "protocol", "comparison", "settings", "status", "extractor",
    "split", "device", "error",
}  # fmt: skip
WHOLE = {"seed", "steps", "best_step", "samples", "peak_memory_bytes", "diverged_at"}


@dataclass(frozen=True)
class Frames:
    """Everything that a results folder holds.

    Attributes:
        runs: a row a run, the columns of ``runs.csv``; what was not measured is empty.
        traces: a row an evaluation, with the run's method, comparison_id and seed.
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
    traces: list[dict[str, Any]] = []
    folders: dict[str, RunFolder] = {}
    problems: list[str] = []
    found = store.runs(results)
    read_cells = {}
    for folder in found:
        try:
            read_cells[folder.id] = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
            rows.append(_row(folder, read_cells[folder.id]))
        except StoreError as error:
            problems.append(f"{folder.id} is left out: {error}")
            continue
        folders[folder.id] = folder
        records, problem = folder.trace()
        problems += [problem] if problem else []
        cell = read_cells[folder.id]
        common = {"run_id": folder.id, "comparison_id": cell.comparison_id, "seed": cell.seed}
        traces += [common | record for record in records]
    if not rows:
        reason = f": {problems[0]}" if problems else ""
        raise StoreError(f"there are no readable runs in {str(results)!r}{reason}; run some first: lipbench run")
    runs = pd.DataFrame(rows)
    runs["method"] = _labels([read_cells[run] for run in runs["run_id"]])
    frame = runs.reindex(columns=[*COLUMNS, "comparison_id"])
    kinds = {name: "string" if name in TEXT else "Int64" if name in WHOLE else "float64" for name in COLUMNS}
    frame = frame.astype(kinds)
    trace = pd.DataFrame(traces, columns=None if traces else ["run_id", "comparison_id", "seed", "step"])
    trace.insert(1, "method", trace["run_id"].map(dict(zip(frame["run_id"], frame["method"], strict=True))))
    return Frames(frame, trace, folders, problems)


def _row(folder: RunFolder, cell: Cell) -> dict[str, Any]:
    status = folder.status()
    result = folder.read_json("result.json") or {}
    error = folder.read_json("error.json") or {}
    last = folder.trace()[0][-1:] or [{}]
    asked = {
        "run_id": folder.id,
        "method": cell.method,
        "dataset": str(cell.dataset),
        "architecture": cell.architecture.name,
        "loss": cell.protocol.loss,
        "protocol": cell.protocol.name,
        "comparison": cell.comparison,
        "comparison_id": cell.comparison_id,
        "settings": cell.settings,
        "seed": cell.seed,
        "samples": cell.protocol.evaluate.samples,
        "split": cell.protocol.evaluate.split,
        "status": str(status),
        # An unfinished run has no final measurement, but it has made steps.
        "steps": result.get("step", last[0].get("step", 0)),
        "error": error.get("message") if status in (Status.FAILED, Status.DIVERGED) else None,
    }
    return {**{key: value for key, value in result.items() if key in COLUMNS}, **asked}


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
