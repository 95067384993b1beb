"""Writes a report: the table of runs, summaries, figures, and one page that needs no network."""

import os
from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lipbench import __version__
from lipbench.errors import StoreError, UnknownNameError
from lipbench.reports import baseline, promised, published, section
from lipbench.reports.drawing.press import press
from lipbench.reports.reading import frame
from lipbench.reports.reading.columns import COLUMNS
from lipbench.reports.reading.frame import Frames
from lipbench.reports.reading.provenance import provenance
from lipbench.reports.section import Section
from lipbench.reports.summary import in_words
from lipbench.results import run_folders
from lipbench.store import write_atomically

MOST_PROCESSES = 4  # each takes 200 MB
MANY = 20  # runs, whose figures take longer than a process takes to start


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: the path of ``index.html``.
        runs: the table of ``runs.csv``.
        sections: what the page shows of each comparison.
        problems: what could not be read.
    """

    page: Path
    runs: pd.DataFrame
    sections: list[Section]
    problems: list[str]

    @property
    def summaries(self) -> list[tuple[str, pd.DataFrame]]:
        """Title and summary table, for people, of each comparison."""
        return [(section.facts.title, section.summary) for section in self.sections]


def write(results: Path, out: Path, against: str | None = None) -> Report:
    """Make the report on all runs below `results` in the folder `out`.

    Args:
        results: the results folder.
        out: where to write.
        against: the baseline, a method with which all others are compared, seed by seed.

    Raises:
        RequestError: no run is of the baseline.
        StoreError: there are no runs, or `out` cannot be written to.
    """
    helpers = min(os.cpu_count() or 1, MOST_PROCESSES) - 1 if len(run_folders(results)) >= MANY else 0
    with press(helpers) as send:  # they start while this process reads
        frames = frame.read(results)
        methods = sorted(set(frames.runs["method"]))
        if against is not None and against not in methods:
            raise UnknownNameError("baseline", against, methods, "It must be one of the methods that were run.")
        _make_folders(out)
        table = frames.runs[COLUMNS]
        write_atomically(out / "runs.csv", table.to_csv(index=False))
        write_atomically(out / "runs.parquet", _parquet(table))
        sections = [
            section.write(frames, runs, results, out, send, against)
            for _, runs in frames.runs.groupby("comparison_id", sort=True)
        ]
    page = out / "index.html"
    write_atomically(page, _render(sections, frames, against))
    return Report(page, table, sections, frames.problems)


def _make_folders(out: Path) -> None:
    try:
        for folder in (out, out / "tables", out / "figures"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"report folder {str(out)!r} cannot be made: {error.strerror}; choose one by --out") from None


def _parquet(table: pd.DataFrame) -> bytes:
    file = BytesIO()
    table.to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _render(sections: list[Section], frames: Frames, against: str | None) -> str:
    commands, environments, problems = provenance(frames.folders.values())
    frames.problems.extend(problems)
    environment = Environment(
        loader=PackageLoader("lipbench.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["embedded"] = _embedded
    return environment.get_template("page.html.j2").render(
        sections=sections,
        problems=frames.problems,
        environments=environments,
        commands=commands,
        version=__version__,
        style=Markup(environment.get_template("page.css").render()),  # our own file, not a user's text
        rules=promised.RULES,
        pairing=baseline.RULES,
        source=published.SOURCE,
        script=Markup(environment.get_template("page.js").render()),
        summary=in_words(frames.runs, sections, against),
    )


def _embedded(png: Path) -> str:
    return "data:image/png;base64," + b64encode(png.read_bytes()).decode()
