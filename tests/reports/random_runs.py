"""Folders of random runs that never ran: finished, unfinished, diverged, and a table of runs made elsewhere."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from lipbench.disk.store import RunFolder
from lipbench.request.plan import Planned, plan
from tests.conftest import TINY

METHODS, SEEDS, STEPS = ("gn", "gp", "wc"), range(4), (2, 4, 6)
MEASURED = [
    "grad_norm_mean", "grad_norm_max", "raw_grad_norm_max", "kid", "inception_score", "tv_gap", "raw_secant_max",
    "secant_1", "secant_0.1", "secant_0.01", "secant_0.001",
]  # fmt: skip

numbers = st.integers(1, 10**6).map(lambda number: number / 1000)


@st.composite
def run(draw: st.DrawFn) -> dict[str, Any]:
    """One run: its state, its evaluations, and what was measured at the end."""
    status = draw(st.sampled_from(["done", "done", "done", "done", "diverged", "interrupted", "failed"]))
    count = len(STEPS) if status == "done" else draw(st.integers(0, len(STEPS) - 1))
    seconds = 0.0
    trace = []
    for step in STEPS[:count]:
        seconds += draw(numbers)
        fid = draw(st.one_of(numbers, numbers, numbers, st.none()))
        trace.append({"step": step, "fid": fid, "seconds_train": seconds, "grad_norm_max": draw(numbers)})
    result: dict[str, Any] | None = None
    if status == "done":
        fids = [line["fid"] for line in trace if line["fid"] is not None]
        measured = {name: draw(numbers) for name in MEASURED}
        best = {"fid_best": min(fids, default=None), "secant_max": max(measured[name] for name in MEASURED[-4:])}
        costs = {"seconds_per_step": draw(numbers), "peak_memory_bytes": draw(st.integers(2**20, 2**40))}
        result = measured | trace[-1] | best | costs
    elif status == "diverged":
        result = {"diverged_at": 5, "step": 5}
    device = draw(st.sampled_from(["NVIDIA A100"] * 9 + ["NVIDIA H100"]))
    return {"status": status, "trace": trace, "result": result, "device": device}


@st.composite
def sets(draw: st.DrawFn) -> dict[str, Any]:
    """Runs by method and seed, rows made elsewhere by seed, the FID of noise, whether on a CPU, and against gp."""
    places = [(method, seed) for method in METHODS for seed in SEEDS]
    chosen = draw(st.one_of(st.lists(st.sampled_from(places), min_size=1, unique=True), st.just(places)))
    return {
        "runs": {place: draw(run()) for place in chosen},
        "added": draw(st.one_of(st.just({}), st.dictionaries(st.integers(0, 9), st.one_of(numbers, st.none())))),
        "noise": draw(st.one_of(st.none(), numbers)),
        "cpu": draw(st.booleans()),
        "against": draw(st.sampled_from([True, True, False])) and any(method == "gp" for method, _ in chosen),
    }


@cache
def planned() -> dict[tuple[str, int], Planned]:
    """A cell for every method and seed."""
    return {(each.cell.method, each.cell.seed): each for each in plan(METHODS, None, SEEDS, "digits", TINY)}


def run_id(place: tuple[str, int]) -> str:
    """The id of the run of a method and a seed."""
    return planned()[place].cell.run_id


def write(given: dict[str, Any], root: Path) -> list[Path]:
    """Make the results folder `root`; returns the tables to add."""
    cell = next(iter(planned().values())).cell
    for place, made in given["runs"].items():
        asked = planned()[place]
        folder = RunFolder(root / "runs" / asked.cell.run_id)
        folder.create(asked.cell.to_json(), asked.contents())
        folder.write_json("environment.json", {"device": "cpu AMD EPYC" if given["cpu"] else made["device"]})
        folder.file("trace.jsonl").write_text("".join(json.dumps(line) + "\n" for line in made["trace"]))
        if made["result"] is not None:
            folder.write_json(
                "result.json", made["result"] | {"status": made["status"], "trace": folder.evaluations.signature()}
            )
        if made["status"] == "failed":
            folder.record_failure("error", "no luck")
    if given["noise"] is not None:
        yardstick = {"fid": given["noise"], "samples": 64, "inception_score": None}
        (root / "yardsticks").mkdir()
        text = json.dumps({"real": yardstick | {"fid": 0.5}, "noise": yardstick})
        (root / "yardsticks" / f"{cell.comparison_id}.json").write_text(text)
    if not given["added"]:
        return []
    rows = [
        f"theirs,digits,{seed},digits,{cell.comparison}," + (",diverged" if fid is None else f"{fid},done")
        for seed, fid in given["added"].items()
    ]
    table = root / "theirs.csv"
    table.write_text("\n".join(["method,dataset,seed,protocol,comparison,fid,status", *rows]))
    return [table]
