"""One comparison: its tables and figures as files, and what the page shows of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from lipbench.errors import StoreError
from lipbench.reports import figures, statistics, tables, yardsticks
from lipbench.reports.facts import Facts, facts
from lipbench.reports.frame import Frames
from lipbench.store import Status, write_atomically

Press = Callable[[Figure, Path], None]
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
        pictures: name, path of the PNG and text of each figure.
        samples: method, seed, step and path of each sample grid.
        unfinished: run, status, steps and error of each run that is not in the means.
        runs: the cells of the table of runs, by column.
        yardsticks: real and noise, or empty.
    """

    facts: Facts
    summary: pd.DataFrame
    pictures: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    unfinished: list[dict[str, Any]]
    runs: list[dict[str, str]]
    yardsticks: dict[str, dict[str, Any]]

    @property
    def shown(self) -> pd.DataFrame:
        """The summary without measures of which nothing is known."""
        return statistics.known(self.summary)


def write(frames: Frames, runs: pd.DataFrame, results: Path, out: Path, press: Press) -> Section:
    """Write the tables and figures of one comparison into `out`.

    Args:
        frames: everything that was read; problems are added to it.
        runs: the rows of the comparison.
        results: the results folder, for the yardsticks.
        out: holds the folders ``tables`` and ``figures``.
        press: writes a figure to the files of a path without ending, sooner or later.

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
        press(
            figures.samples({sample["method"]: sample["path"] for sample in samples}),
            out / "figures" / f"samples-{name}",
        )
    traces = frames.traces[frames.traces["comparison_id"] == name]
    pictures = []
    for key, (figure, text) in figures.draw(runs, traces, measured.get("real", {}).get("fid")).items():
        stem = out / "figures" / f"{key}-{name}"
        press(figure, stem)
        pictures.append({"name": key, "path": stem.with_name(f"{stem.name}.png"), "text": text})
    return Section(
        facts=known,
        summary=_write_tables(runs, known, out / "tables" / f"summary-{name}"),
        pictures=pictures,
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
        found.append({"method": run["method"], "seed": int(seed), "step": int(run["steps"]), "path": path})
    return found


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
