"""Run folders that never ran, for merging: finished, unfinished and failed ones of equal numbers."""

import json
from pathlib import Path
from typing import Any

from lipbench.disk.files import to_json
from lipbench.disk.store import RunFolder
from tests.reports.random_runs import planned

STEPS = 6
PICTURES = "5e" * 20


def put(
    results: Path, state: str = "done", *, seed: int = 0, seconds: float = 1.0, fid: float = 2.5, step: int = STEPS
) -> RunFolder:
    """Make a run folder: ``done``, ``interrupted`` or ``failed``, evaluated every 2 steps until `step`."""
    asked = planned()["gn", seed]
    folder = RunFolder(results / "runs" / asked.cell.run_id)
    folder.create(asked.cell.to_json(), asked.contents())
    folder.file("lock").touch()
    folder.file("log.txt").write_text(f"{state} at {step}\n")
    folder.write_json("basis.json", {"pictures": PICTURES})
    for at in range(2, step + 1, 2):
        record = {"step": at, "fid": fid + STEPS - at, "grad_norm_max": 0.5, "seconds_train": seconds * at}
        folder.evaluations.append(record)
    if state == "done":
        costs = {"seconds_train": seconds * step, "device": "cpu", "peak_memory_bytes": 10}
        result = {"status": "done", "step": step, "fid": fid, "grad_norm_max": 0.5, "pictures": PICTURES} | costs
        folder.write_json("result.json", result | {"trace": folder.evaluations.signature()})
        return folder
    folder.file("checkpoint.pt").write_bytes(bytes([step]))
    if state == "failed":
        folder.record_failure("error", "no luck")
    return folder


def put_yardsticks(results: Path, *, fid: float = 4.8, pictures: str = PICTURES) -> Path:
    """Make the yardsticks of the runs that `put` makes."""
    path = results / "yardsticks" / f"{planned()['gn', 0].cell.comparison_id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    measured = {"fid": fid, "samples": 64, "inception_score": None}
    path.write_text(to_json({"real": measured, "noise": measured | {"fid": 1194.0}, "pictures": pictures}))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """The content of every file below a folder, locks aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def numbers(results: Path) -> dict[str, Any]:
    """The FID of every run that is finished."""
    found = {path.parent.name: json.loads(path.read_text()) for path in results.glob("runs/*/result.json")}
    return {name: result["fid"] for name, result in found.items()}
