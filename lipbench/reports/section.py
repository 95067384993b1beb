"""One comparison: its tables and figures as files, and what the page shows of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from lipbench.errors import StoreError
from lipbench.reports import baseline, promised, published, tables
from lipbench.reports.drawing import figures
from lipbench.reports.facts import Facts, facts
from lipbench.reports.reading import yardsticks
from lipbench.reports.reading.frame import Frames
from lipbench.reports.statistics import intervals
from lipbench.store import Status, write_atomically

Press = Callable[[Figure, Path], None]
SHOWN_COLUMNS = [
    "method", "seed", "status", "steps", "fid", "fid_best", "best_step", "fid_gap", "kid", "inception_score",
    "cos", "l2", "w1_estimate", "secant_max", "tv_gap",
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
        compared: every method against the baseline, or None.
        promised: what methods promise and what was measured, or None.
        reported: ours and what others published, or None.
    """

    facts: Facts
    summary: pd.DataFrame
    pictures: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    unfinished: list[dict[str, Any]]
    runs: list[dict[str, str]]
    yardsticks: dict[str, dict[str, Any]]
    compared: pd.DataFrame | None
    promised: pd.DataFrame | None
    reported: pd.DataFrame | None

    @property
    def markdown(self) -> list[str]:
        """Its tables as Markdown, each under its facts."""
        further = [(self.compared, baseline.RULES), (self.promised, promised.RULES), (self.reported, published.SOURCE)]
        return [tables.markdown(self.shown, self.facts)] + [
            tables.markdown(table, replace(self.facts, warnings=[note])) for table, note in further if table is not None
        ]

    @property
    def shown(self) -> pd.DataFrame:
        """The summary without measures of which nothing is known."""
        return intervals.known(self.summary)


def write(frames: Frames, runs: pd.DataFrame, results: Path, out: Path, press: Press, against: str | None) -> Section:
    """Write the tables and figures of one comparison into `out`.

    Args:
        frames: everything that was read; problems are added to it.
        runs: the rows of the comparison.
        results: the results folder, for the yardsticks.
        out: holds the folders ``tables`` and ``figures``.
        press: writes a figure to the files of a path without ending, sooner or later.
        against: the baseline, if one was named.

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
    compared = baseline.against(runs, against) if against is not None else None
    _write_further(compared, known, baseline.RULES, out / "tables" / f"against-{name}")
    promised_table, beside = promised.table(runs), published.beside(runs)
    _write_further(promised_table, known, promised.RULES, out / "tables" / f"promised-{name}")
    _write_further(beside, known, published.SOURCE, out / "tables" / f"reported-{name}")
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
            for run in runs.sort_values(["method", "seed"])[SHOWN_COLUMNS].dropna(axis=1, how="all").to_dict("records")
        ],
        yardsticks=measured,
        compared=compared,
        promised=promised_table,
        reported=beside,
    )


def _write_tables(runs: pd.DataFrame, known: Facts, stem: Path) -> pd.DataFrame:
    """Write the summary, its CSV with plain numbers; returns the table for people."""
    numbers = intervals.summarise(runs)
    summary = intervals.for_people(numbers)
    _write(intervals.known(summary), numbers, known, stem)
    return summary


def _write_further(shown: pd.DataFrame | None, known: Facts, note: str, stem: Path) -> None:
    """Write a further table for people, if there is one."""
    if shown is not None:
        _write(shown, shown, replace(known, warnings=[note]), stem)


def _write(shown: pd.DataFrame, numbers: pd.DataFrame, known: Facts, stem: Path) -> None:
    """Write a table as ``.md`` and ``.tex``, and its numbers as ``.csv``."""
    texts = {
        "csv": numbers.to_csv(index=False),
        "md": tables.markdown(shown, known),
        "tex": tables.latex(shown, known),
    }
    for ending, text in texts.items():
        write_atomically(stem.with_name(f"{stem.name}.{ending}"), text)


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
