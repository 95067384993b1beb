"""What one run folder holds, checked before it enters a table: a damaged file is named, and never drawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.measures import COLUMNS, Column
from lipbench.reports.reading.bases import BASIS
from lipbench.reports.reading.columns import BY_NAME, LIPBENCH, declared, expected, several
from lipbench.request import cell as cells
from lipbench.request.cell import Cell

# Of an evaluation's many numbers, those that are drawn: a thousand runs fit into memory, and into seconds.
TRACED = ["step", *(column.name for column in COLUMNS if column.traced)]
# Two keys are called otherwise in the table.
KEYS = BY_NAME | {"step": BY_NAME["steps"], "message": BY_NAME["error"]}


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: of the run.
        cell: what was asked.
        declared: the columns of the measures that it was asked to take, by name.
        evaluations: those so far, of `TRACED` and of each declared column; NaN where nothing was measured.
        row: of the table of runs: what was asked, and what is known so far.
        problems: what could not be read that no number of the row depends on, in sentences.
    """

    folder: RunFolder
    cell: Cell
    declared: dict[str, Column]
    evaluations: Float[np.ndarray, "n k"]
    row: dict[str, Any]
    problems: list[str]

    def evaluated(self, name: str) -> Float[np.ndarray, " n"]:
        """A declared column of every evaluation, NaN of a run that was not asked for it."""
        if name not in self.declared:
            return np.full(len(self.evaluations), np.nan)
        return self.evaluations[:, len(TRACED) + list(self.declared).index(name)]


def read(folder: RunFolder) -> Run:
    """Read a run folder.

    Raises:
        StoreError: it is none, or one of its files is damaged.
        OSError: it cannot be read.
    """
    if not folder.id.isprintable():
        raise StoreError("its folder has a name that lipbench gives to none; rename it")
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    device, own, problems = _environment(folder)
    evaluations, damaged = _evaluations(folder, own)
    row, unread = _row(folder, cell, own, int(evaluations[-1, 0]) if len(evaluations) else 0)
    return Run(
        folder, cell, own, evaluations, row | ({"device": device} if device else {}), problems + damaged + unread
    )


def _environment(folder: RunFolder) -> tuple[str | None, dict[str, Column], list[str]]:
    """The name of the device, the declared columns, and which of them are none.

    The result knows only the kind of the device, and one "cuda" is not as fast as another.
    """
    try:
        found = folder.read_json("environment.json") or {}
    except StoreError:  # said with the versions that it should hold
        return None, {}, []
    own, problems = {}, []
    records = found.get("measures", {})
    if not isinstance(records, dict):
        problems.append(f"{folder.id}: measures of environment.json are damaged (not an object) and left out")
        records = {}
    for name, record in records.items():
        try:
            own[name] = declared(name, record)
        except ValueError as error:
            problems.append(f"{folder.id}: measure {name!r} of environment.json is damaged ({error}) and left out")
    device = found.get("device")
    return device if isinstance(device, str) else None, own, problems


def _evaluations(folder: RunFolder, own: dict[str, Column]) -> tuple[Float[np.ndarray, "n k"], list[str]]:
    """The evaluations so far, and what is wrong with the file: damaged evaluations are left out."""
    try:
        records, problem = folder.trace()
    except StoreError as error:  # the numbers of a finished run stand without its curves
        records, problem = [], str(error)
    problems = [problem] if problem else []
    keys = {name: KEYS[name] for name in TRACED} | own
    columns = list(keys.values())
    rows = []
    for record in records:
        values = [record.get(name) for name in keys]
        if wrong := _complaints(zip(keys, columns, values, strict=True)):
            problems.append(
                f"{folder.id}: step {record['step']} of trace.jsonl is damaged ({several(wrong)}) and left out"
            )
        else:
            rows.append(values)
    return np.array(rows, dtype=float).reshape(-1, len(keys)), problems


def _row(folder: RunFolder, cell: Cell, own: dict[str, Column], last_step: int) -> tuple[dict[str, Any], list[str]]:
    """The row of a run, the name of its device aside, and what could not be read that no number depends on."""
    status = folder.status()
    result = _read(folder, "result.json", own)
    message, problems = _message(folder) if status in (Status.FAILED, Status.DIVERGED) else (None, [])
    planned = {} if result else _read(folder, "basis.json")  # a run that is not finished has numbers, too
    asked = {
        "run_id": folder.id,
        "method": cell.method,
        "dataset": str(cell.dataset),
        "architecture": str(cell.architecture),
        "loss": cell.protocol.loss,
        "protocol": cell.protocol.name,
        "comparison": cell.comparison,
        "comparison_id": cell.comparison_id,
        "settings": cell.settings,
        "seed": cell.seed,
        "pairing": LIPBENCH,
        **cell.protocol.pictures,
        "status": str(status),
        # An unfinished run has no final measurement, but it has made steps.
        "steps": result.get("step", last_step),
        "error": message,
    }
    if "real_samples" in asked.keys() & result.keys():  # fewer than asked for if the data hold fewer
        asked["real_samples"] = result["real_samples"]
    basis = {key: planned[key] for key in BASIS if key in planned}
    return basis | {key: value for key, value in result.items() if key in own or key in BY_NAME} | asked, problems


def _message(folder: RunFolder) -> tuple[str | None, list[str]]:
    """Why the run ended, and what is wrong with the file that says it."""
    try:
        return _read(folder, "error.json").get("message"), []
    except StoreError as error:
        return None, [str(error)]


def _read(folder: RunFolder, name: str, own: dict[str, Column] | None = None) -> dict[str, Any]:
    """One of its JSON files, empty where there is none."""
    record = folder.read_json(name) or {}
    keys = KEYS | (own or {})
    wrong = _complaints((key, keys[key], value) for key, value in record.items() if key in keys)
    if wrong:
        raise StoreError(f"{str(folder.file(name))!r} is damaged ({several(wrong)}); remove it and run again")
    return record


def _complaints(values: Iterable[tuple[str, Column, Any]]) -> list[str]:
    """Every value that is not as its column says, each with its key."""
    return [
        f"{key} is {value!r}, expected {words}"
        for key, column, value in values
        if value is not None and (words := expected(column, value)) is not None
    ]
