"""What one run folder holds, checked before it enters a table: a damaged file is named, and never drawn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.reports.reading.bases import BASIS
from lipbench.reports.reading.columns import CHECKS, COLUMNS, KINDS, LIPBENCH, is_number
from lipbench.request.cell import Cell

# Of an evaluation's many numbers, those that are drawn: a thousand runs fit into memory, and into seconds.
EVALUATION = ["step", "fid", "cos", "seconds_train", "grad_norm_max", "raw_grad_norm_max"]

# Keys that are called otherwise in the table.
KIND = KINDS | {"step": "Int64", "message": "string"}


def evaluations(folder: RunFolder) -> tuple[NDArray[np.float64], list[str]]:
    """The evaluations so far.

    Returns:
        An array (evaluations, EVALUATION), NaN where nothing was measured; and what is wrong with the file, in
        sentences: damaged evaluations are left out.

    """
    try:
        records, problem = folder.trace()
    except StoreError as error:  # the numbers of a finished run stand without its curves
        records, problem = [], str(error)
    problems = [problem] if problem else []
    rows = []
    for record in records:
        values = [record.get(name) for name in EVALUATION]
        if all(value is None or is_number(value) for value in values):
            rows.append(values)
        else:
            problems.append(f"{folder.id}: step {record['step']} of trace.jsonl is damaged (not numbers) and left out")
    return np.array(rows, dtype=float).reshape(-1, len(EVALUATION)), problems


def row(folder: RunFolder, cell: Cell, last_step: int) -> tuple[dict[str, Any], list[str]]:
    """A row of the table of runs: what was asked, and what is known so far.

    Args:
        folder: of the run.
        cell: its cell.
        last_step: that of its last evaluation, 0 if there is none.

    Returns:
        The row, and what could not be read that no number depends on, in sentences.

    Raises:
        StoreError: a file of the run is damaged.
    """
    status = folder.status()
    result = _read(folder, "result.json")
    message, problems = _message(folder) if status in (Status.FAILED, Status.DIVERGED) else (None, [])
    planned = {} if result else _read(folder, "basis.json")  # a run that is not finished has numbers, too
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
        "pairing": LIPBENCH,
        **_pictures(cell, result),
        "status": str(status),
        # An unfinished run has no final measurement, but it has made steps.
        "steps": result.get("step", last_step),
        "error": message,
        "device": _device(folder) or result.get("device"),
    }
    basis = {key: planned[key] for key in BASIS if key in planned}
    return basis | {key: value for key, value in result.items() if key in COLUMNS} | asked, problems


def _message(folder: RunFolder) -> tuple[str | None, list[str]]:
    """Why the run ended, and what is wrong with the file that says it."""
    try:
        return _read(folder, "error.json").get("message"), []
    except StoreError as error:
        return None, [str(error)]


def _device(folder: RunFolder) -> str | None:
    """The name of the device: the result knows only its kind, and one "cuda" is not as fast as another."""
    try:
        found = (folder.read_json("environment.json") or {}).get("device")
    except StoreError:  # said with the versions that it should hold
        return None
    return found if isinstance(found, str) else None


def _pictures(cell: Cell, result: dict[str, Any]) -> dict[str, Any]:
    """How many pictures were compared, where there are any; fewer real ones than asked for if the data hold fewer."""
    asked = cell.protocol.pictures
    return asked | {key: result[key] for key in ("real_samples",) if key in asked and key in result}


def _read(folder: RunFolder, name: str) -> dict[str, Any]:
    """One of its JSON files, empty where there is none."""
    record = folder.read_json(name) or {}
    for key, value in record.items():
        if key in KIND and value is not None:
            expected, holds = CHECKS[KIND[key]]
            if not holds(value):
                raise StoreError(
                    f"{str(folder.file(name))!r} is damaged ({key} is {value!r}, expected {expected}); "
                    "remove it and run again"
                )
    return record
