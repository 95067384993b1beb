"""Writes a report: the table of runs, summaries, figures, and one page that needs no network."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lipbench import __version__
from lipbench.errors import StoreError
from lipbench.reports import frame, section
from lipbench.reports.columns import COLUMNS
from lipbench.reports.frame import Frames
from lipbench.reports.provenance import provenance
from lipbench.reports.section import SHOWN_COLUMNS, Section
from lipbench.store import write_atomically


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: the path of ``index.html``.
        runs: the table of ``runs.csv``.
        summaries: title and summary table, for people, of each comparison.
        problems: what could not be read.
    """

    page: Path
    runs: pd.DataFrame
    summaries: list[tuple[str, pd.DataFrame]]
    problems: list[str]


def write(results: Path, out: Path) -> Report:
    """Make the report on all runs below `results` in the folder `out`.

    Raises:
        StoreError: there are no runs, or `out` cannot be written to.
    """
    frames = frame.read(results)
    try:
        for folder in (out, out / "tables", out / "figures"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"report folder {str(out)!r} cannot be made: {error.strerror}; choose one by --out") from None
    table = frames.runs[COLUMNS]
    write_atomically(out / "runs.csv", table.to_csv(index=False))
    write_atomically(out / "runs.parquet", _parquet(table))
    sections = [
        section.write(frames, runs, results, out) for _, runs in frames.runs.groupby("comparison_id", sort=True)
    ]
    page = out / "index.html"
    write_atomically(page, _render(sections, frames))
    summaries = [(part.facts.title, part.summary) for part in sections]
    return Report(page, table, summaries, frames.problems)


def _parquet(table: pd.DataFrame) -> bytes:
    file = BytesIO()
    table.to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _render(sections: list[Section], frames: Frames) -> str:
    commands, environments, problems = provenance(frames.folders.values())
    frames.problems.extend(problems)
    environment = Environment(
        loader=PackageLoader("lipbench.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2").render(
        sections=sections,
        problems=frames.problems,
        environments=environments,
        commands=commands,
        version=__version__,
        style=Markup(environment.get_template("page.css").render()),  # our own file, not a user's text
        columns=SHOWN_COLUMNS,
        total=len(frames.runs),
    )
