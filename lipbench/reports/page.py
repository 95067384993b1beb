"""Writes a report: the table of runs, summaries, figures, and one page that needs no network."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lipbench.disk.files import write_atomically
from lipbench.disk.results import has_runs, run_folders
from lipbench.errors import UnknownNameError
from lipbench.reports import across, folder, pictures, section, sheets, suites
from lipbench.reports.across import Across
from lipbench.reports.drawing.press import press
from lipbench.reports.pictures import Picture
from lipbench.reports.reading import frame
from lipbench.reports.reading.columns import LIPBENCH
from lipbench.reports.reading.frame import Frames
from lipbench.reports.reading.provenance import provenance
from lipbench.reports.section import Section
from lipbench.reports.summary import in_words
from lipbench.version import VERSION

MOST_PROCESSES = 4  # each takes 200 MB
FOREIGN = (
    "Among the tables and figures lie {} files that this report did not write, such as {}: they are kept, and may be "
    "of an earlier report; remove them, or choose another --out"
)
NAMED = 3  # of them
MANY = 20  # runs, whose figures take longer than a process takes to start


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: the path of ``index.html``.
        runs: the table of ``runs.csv``.
        sections: what the page shows of each comparison.
        across: what it shows of each protocol over several data sets.
        refusal: why there is no one ranking over all runs, or None.
        problems: what could not be read.
    """

    page: Path
    runs: pd.DataFrame
    sections: list[Section]
    across: list[Across]
    refusal: str | None
    problems: list[str]

    @property
    def summaries(self) -> list[tuple[str, pd.DataFrame]]:
        """Title and summary table, for people, of each comparison."""
        return [(section.facts.title, section.summary) for section in self.sections]


def write(results: Path, out: Path, baseline: str | None = None, add: Sequence[Path] = ()) -> Report:
    """Make the report on all runs below `results` in the folder `out`.

    Args:
        results: the results folder.
        out: where to write; an earlier report there is replaced once the new one is whole, and other files are kept.
        baseline: a method with which all others are compared.
        add: tables of runs that were made elsewhere.

    Raises:
        RequestError: no run is of the baseline, a table that is added is not one, or `out` is where runs are kept.
        StoreError: there are no runs, or `out` cannot be written to.
    """
    folder.check(out, results)
    known = run_folders(results) if has_runs(results) else []
    helpers = min(os.cpu_count() or 1, MOST_PROCESSES) - 1 if len(known) >= MANY else 0
    with folder.renewed(out) as new:
        with press(helpers) as send:  # they start while this process reads
            frames = frame.read(results, add)
            methods = sorted(set(frames.runs["method"]))
            if baseline is not None and baseline not in methods:
                raise UnknownNameError("baseline", baseline, methods, "It must be one of the methods that were run.")
            table = frames.runs[[column.name for column in frames.known(frames.runs)]]
            write_atomically(new / "runs.csv", sheets.to_csv(table))
            write_atomically(new / "runs.parquet", table.to_parquet(engine="pyarrow", index=False))
            sections = [
                section.write(frames, runs, new, send, baseline)
                for _, runs in frames.runs.groupby("comparison_id", sort=True)
            ]
            over = [across.write(suite, new, send, baseline) for suite in suites.suites(frames.runs)]
        foreign = folder.foreign(out, new)
        if foreign:
            frames.problems.append(FOREIGN.format(len(foreign), ", ".join(foreign[:NAMED])))
        refusal = suites.refusal(frames.runs, frames.protocols)
        made = Report(out / "index.html", table, sections, over, refusal, frames.problems)
        command = ["lipbench", "report", "--results", str(results), *(["--baseline", baseline] if baseline else [])]
        command += [text for path in add for text in ("--add", str(path))]
        write_atomically(new / "index.html", _render(made, frames, baseline, shlex.join(command)))
    return replace(
        made,
        sections=[replace(each, pictures=_moved(each.pictures, out)) for each in sections],
        across=[replace(each, pictures=_moved(each.pictures, out)) for each in over],
    )


def _moved(drawn: list[Picture], out: Path) -> list[Picture]:
    """The same pictures where the report has its place."""
    return [replace(picture, stem=out / picture.stem.parent.name / picture.stem.name) for picture in drawn]


def _render(report: Report, frames: Frames, baseline: str | None, command: str) -> str:
    commands, environments, problems = provenance(frames.folders.values())
    frames.problems.extend(problems)
    environment = Environment(
        loader=PackageLoader("lipbench.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["embedded"] = pictures.embedded
    own = int((frames.runs["pairing"] == LIPBENCH).sum())
    return environment.get_template("page.html.j2").render(
        report=report,
        own=own,
        added=len(frames.runs) - own,
        environments=environments,
        commands=[*commands, command],
        version=VERSION,
        style=Markup(environment.get_template("page.css").render()),  # our own file, not a user's text
        script=Markup(environment.get_template("page.js").render()),
        summary=in_words(frames.runs, report.sections, baseline),
    )
