"""One comparison: its tables and figures as files, and what the page shows of it."""

import os
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from lipbench.disk.files import read_bytes
from lipbench.disk.store import Status
from lipbench.measures import View, in_view
from lipbench.reports import budget, dirac, promised, published, published_modes, tables
from lipbench.reports.baseline import RULES, against
from lipbench.reports.drawing import figures
from lipbench.reports.facts import Facts, facts
from lipbench.reports.pictures import Picture, Press, publish
from lipbench.reports.reading import shown as reading
from lipbench.reports.reading.frame import Frames
from lipbench.reports.statistics import intervals


@dataclass(frozen=True)
class Further:
    """A further table of a comparison.

    Attributes:
        name: of its files.
        title: above it on the page.
        table: for people.
        note: how to read it.
    """

    name: str
    title: str
    table: pd.DataFrame
    note: str


@dataclass(frozen=True)
class Section:
    """One comparison on the page.

    Attributes:
        facts: what a reader must know of it.
        summary: the table for people, with every measure.
        further: more tables.
        pictures: its figures.
        samples: method, seed, step and path of each sample grid.
        unfinished: run, status, steps and error of each run that is not in the means.
        runs: the cells of the table of runs, by column.
        yardsticks: real and noise, or empty.
    """

    facts: Facts
    summary: pd.DataFrame
    further: list[Further]
    pictures: list[Picture]
    samples: list[dict[str, Any]]
    unfinished: list[dict[str, Any]]
    runs: list[dict[str, str]]
    yardsticks: dict[str, dict[str, Any]]

    @property
    def markdown(self) -> list[str]:
        """Its tables as Markdown, each under its facts."""
        return [tables.markdown(self.shown, self.facts)] + [
            tables.markdown(each.table, replace(self.facts, warnings=[each.note])) for each in self.further
        ]

    @property
    def shown(self) -> pd.DataFrame:
        """The summary without measures of which nothing is known."""
        return intervals.known(self.summary)

    @property
    def compared(self) -> pd.DataFrame | None:
        """Every method against the baseline, or None."""
        return next((each.table for each in self.further if each.name == "against"), None)


def write(frames: Frames, runs: pd.DataFrame, out: Path, press: Press, baseline: str | None) -> Section:
    """Write the tables and figures of one comparison into `out`.

    Args:
        frames: everything that was read; problems are added to it.
        runs: the rows of the comparison.
        out: holds the folders ``tables`` and ``figures``.
        press: writes a figure to the files of a path without ending, sooner or later.
        baseline: the method with which all others are compared, if one was named.

    Raises:
        StoreError: a file cannot be written.
    """
    name = str(runs["comparison_id"].iloc[0])
    known = facts(runs)
    shown, problems = reading.read(frames.folders, runs)
    frames.problems.extend(problems)
    samples = _samples(frames, runs)
    if samples:
        press(figures.samples(samples), out / "figures" / f"samples-{name}")
    traces = frames.traces[frames.traces["comparison_id"] == name]
    columns = frames.known(runs)
    measures = in_view(columns, View.SUMMARY)
    numbers = intervals.summarise(runs, measures)
    summary = intervals.for_people(numbers, measures)
    tables.write(intervals.known(summary), numbers, known, out / "tables" / f"summary-{name}")
    further = _further(runs, traces, frames.protocols.get(str(runs["comparison"].iloc[0]), {}), baseline)
    for each in further:
        own = replace(known, warnings=[each.note])
        tables.write(each.table, each.table, own, out / "tables" / f"{each.name}-{name}")
    listed = runs.sort_values(["method", "seed"])[[column.name for column in in_view(columns, View.RUNS)]]
    return Section(
        facts=known,
        summary=summary,
        further=further,
        pictures=publish(press, figures.draw(runs, traces, columns, shown), out / "figures", name),
        samples=samples,
        unfinished=[
            {"run": run["run_id"], "status": run["status"], "steps": _cell(run["steps"]), "error": _cell(run["error"])}
            for run in runs[runs["status"] != Status.DONE].to_dict("records")
        ],
        runs=[
            {str(column): _cell(value) for column, value in run.items()}
            for run in listed.dropna(axis=1, how="all").to_dict("records")
        ],
        yardsticks=frames.yardsticks.get(name, {}),
    )


def _further(runs: pd.DataFrame, traces: pd.DataFrame, settings: dict[str, Any], baseline: str | None) -> list[Further]:
    """Every further table of which anything is known."""
    reported, source = _reported(runs, settings)
    found = [
        ("against", "Against the baseline", against(runs, baseline) if baseline else None, RULES),
        ("equal-cost", "At equal cost", budget.table(runs, traces), budget.rules(runs)),
        ("dirac", "The Dirac-GAN", dirac.table(runs), dirac.RULES),
        ("promised", "Promised and measured", promised.table(runs), promised.RULES),
        ("reported", "Beside what others reported", reported, source),
    ]
    return [Further(name, title, table, note) for name, title, table, note in found if table is not None]


def _reported(runs: pd.DataFrame, settings: dict[str, Any]) -> tuple[pd.DataFrame | None, str]:
    """What others reported beside ours, if anything, and what is to be said of it."""
    kinds = (
        (published.distances(runs), published.W1_SOURCE),
        (published_modes.table(runs), published_modes.SOURCE),
        (published.fids(runs, settings), published.FID_SOURCE),
    )
    return next((kind for kind in kinds if kind[0] is not None), (None, ""))


def _samples(frames: Frames, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """A grid a method, all of the lowest seed that most methods have, so that they show the same latents."""
    grids = {run: frames.folders[run].file("samples.png") for run in runs["run_id"] if run in frames.folders}
    have = runs[[run in grids and os.path.lexists(grids[run]) for run in runs["run_id"]]]
    if have.empty:
        return []
    counts = have.groupby("seed")["method"].nunique()
    seed = counts[counts == counts.max()].index.min()
    found = []
    for run in have[have["seed"] == seed].sort_values("method").to_dict("records"):
        path = grids[run["run_id"]]
        try:
            with Image.open(BytesIO(read_bytes(path)), formats=["PNG"]) as picture:
                picture.load()
        # Pillow raises whatever its decoders meet in a broken file.
        except Exception as error:
            frames.problems.append(f"{str(path)!r} is not a picture ({error}) and left out")
            continue
        found.append({"method": str(run["method"]), "seed": int(seed), "step": int(run["steps"]), "path": path})
    return found


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
