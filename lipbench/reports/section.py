"""One comparison: its tables and figures as files, and what the page shows of it."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lipbench.errors import StoreError
from lipbench.reports import figures, statistics, style, tables, yardsticks
from lipbench.reports.facts import Facts, facts
from lipbench.reports.frame import Frames
from lipbench.store import Status, write_atomically

SHOWN_COLUMNS = [
    "method", "seed", "status", "steps", "fid", "fid_best", "best_step", "kid", "inception_score",
    "grad_norm_mean", "grad_norm_max", "raw_grad_norm_mean", "seconds_per_step", "seconds_train", "run_id",
]  # fmt: skip


@dataclass(frozen=True)
class Section:
    """One comparison on the page.

    Attributes:
        facts: what a reader must know of it.
        summary: the table for people, with every measure.
        pictures: name, data and text of each figure.
        samples: method, seed, step, path and data of each sample grid.
        unfinished: run, status, steps and error of each run that is not in the means.
        runs: the cells of the table of runs, by column.
        yardsticks: real and noise, or empty.
    """

    facts: Facts
    summary: pd.DataFrame
    pictures: list[dict[str, str]]
    samples: list[dict[str, Any]]
    unfinished: list[dict[str, Any]]
    runs: list[dict[str, str]]
    yardsticks: dict[str, dict[str, Any]]

    @property
    def shown(self) -> pd.DataFrame:
        """The summary without measures of which nothing is known."""
        return statistics.known(self.summary)


def write(frames: Frames, runs: pd.DataFrame, results: Path, out: Path) -> Section:
    """Write the tables and figures of one comparison into `out`.

    Args:
        frames: everything that was read; problems are added to it.
        runs: the rows of the comparison.
        results: the results folder, for the yardsticks.
        out: holds the folders ``tables`` and ``figures``.

    Raises:
        StoreError: a file cannot be written.
    """
    name = str(runs["comparison_id"].iloc[0])
    try:
        measured = yardsticks.read(results, name)
    except StoreError as error:
        frames.problems.append(str(error))
        measured = {}
    known = facts(runs)
    samples = _samples(frames, runs)
    if samples:
        grids = {sample["method"]: sample["path"] for sample in samples}
        style.write(figures.samples(grids), out / "figures" / f"samples-{name}")
    return Section(
        facts=known,
        summary=_write_tables(runs, known, out / "tables" / f"summary-{name}"),
        pictures=_write_figures(frames, runs, measured, out / "figures", name),
        samples=samples,
        unfinished=[
            {"run": run["run_id"], "status": run["status"], "steps": run["steps"], "error": _cell(run["error"])}
            for run in runs[runs["status"] != Status.DONE].to_dict("records")
        ],
        runs=[
            {str(column): _cell(value) for column, value in run.items()}
            for run in runs.sort_values(["method", "seed"])[SHOWN_COLUMNS].to_dict("records")
        ],
        yardsticks=measured,
    )


def _write_tables(runs: pd.DataFrame, known: Facts, stem: Path) -> pd.DataFrame:
    """Write the summary as ``.csv``, ``.md`` and ``.tex``; returns the table for people."""
    numbers = statistics.summarise(runs)
    summary = statistics.for_people(numbers)
    shown = statistics.known(summary)
    texts = {
        "csv": numbers.to_csv(index=False),
        "md": tables.markdown(shown, known),
        "tex": tables.latex(shown, known),
    }
    for ending, text in texts.items():
        write_atomically(stem.with_name(f"{stem.name}.{ending}"), text)
    return summary


def _write_figures(
    frames: Frames, runs: pd.DataFrame, measured: dict[str, dict[str, Any]], folder: Path, name: str
) -> list[dict[str, str]]:
    traces = frames.traces[frames.traces["comparison_id"] == name]
    drawn = figures.draw(runs, traces, measured.get("real", {}).get("fid"))
    return [
        {"name": key, "data": _embed(style.write(figure, folder / f"{key}-{name}")), "text": text}
        for key, (figure, text) in drawn.items()
    ]


def _samples(frames: Frames, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """A grid a method, all of the lowest seed that most methods have, so that they show the same latents."""
    have = runs[[frames.folders[run].file("samples.png").exists() for run in runs["run_id"]]]
    if have.empty:
        return []
    counts = have.groupby("seed")["method"].nunique()
    seed = counts[counts == counts.max()].index.min()
    found = []
    for run in have[have["seed"] == seed].sort_values("method").to_dict("records"):
        path = frames.folders[run["run_id"]].file("samples.png")
        try:
            with Image.open(path, formats=["PNG"]) as picture:
                picture.load()
        # Pillow raises whatever its decoders meet in a broken file.
        except Exception as error:
            frames.problems.append(f"{str(path)!r} is not a picture ({error}) and left out")
            continue
        found.append(
            {"method": run["method"], "seed": int(seed), "step": int(run["steps"]), "path": path,
             "data": _embed(path.read_bytes())}
        )  # fmt: skip
    return found


def _embed(png: bytes) -> str:
    return "data:image/png;base64," + b64encode(png).decode()


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
