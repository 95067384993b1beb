"""Runs: how they will go, how they stand, what came of them."""

import platform
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from lipbench import terminal
from lipbench.disk.results import run_folders
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.interfaces.launcher import Standing
from lipbench.launch.outcome import Summary
from lipbench.launch.sweep import Sweep
from lipbench.measures import COLUMNS, COUNTS, View
from lipbench.request import cell as cells
from lipbench.screen.display import STYLES
from lipbench.screen.lines import open_table, print_block, print_line, print_text

if TYPE_CHECKING:
    import pandas as pd

    from lipbench.reports.page import Report

T = TypeVar("T")


def show_plan(console: Console, sweep: Sweep) -> None:
    """The runs of a request and how they stand."""
    for note in sweep.summary.notes:
        console.print(Text(terminal.visible(note)), soft_wrap=True)
    table = open_table("run", "method", "data set", "seed", "steps", "state")
    for name, folder in sweep.folders.items():
        cell = sweep.planned[name].cell
        try:
            state = str(folder.status()) if folder.path.exists() else "new"
        except StoreError:  # the run alone is left out, and says why
            state = "damaged"
        steps = str(cell.protocol.train.steps)
        table.add_row(cell.run_id, Text(cell.method), Text(str(cell.dataset)), str(cell.seed), steps, state)
    console.print(table)
    together = f", {sweep.jobs} at a time" if sweep.jobs and not sweep.summary.notes else ""
    print_line(console, f"{_runs(len(sweep.planned))}{together}; nothing was started (--dry-run)")


def show_summary(console: Console, summary: Summary, results: Path) -> None:
    """The last lines of a run: what was done, what failed and why."""
    for name, reason in summary.reasons.items():
        status = summary.statuses[name]
        print_line(console, f"{status}: {name}: {reason}", STYLES[status])
    counts = [f"{summary.count(status)} {status}" for status in Status if summary.count(status)]
    skipped = f" ({len(summary.skipped)} finished before)" if summary.skipped else ""
    print_line(console, f"{_runs(len(summary.statuses))} in {results}: {', '.join(counts)}{skipped}", "bold")
    for note in summary.notes:
        print_line(console, note)
    again = "" if summary.complete else "Failed runs are tried again by the same command. "
    option = "" if str(results) == "results" else f" --results {shlex.quote(str(results))}"
    command = "status" if summary.count(Status.QUEUED) else "report"
    print_line(console, f"{again}Next: lipbench {command}{option}")


def show_report(console: Console, report: "Report") -> None:
    """The summary table, the baseline's table, what was left out, and where the page is."""
    from lipbench.reports.statistics.differences import T_TEST

    for section in report.sections:
        print_line(console, section.facts.title, "bold")
        fitting, left_out = _fitting(section.shown, console.width)
        print_text(console, fitting)
        if left_out:
            print_line(console, f"Also measured, on the page: {', '.join(left_out)}", "dim")
        compared = section.compared
        if compared is not None:
            usual = (compared["test"] == T_TEST).all()
            console.print()
            print_text(console, compared.drop(columns=["test"] * bool(usual)).to_string(index=False))
        console.print()
    for over in report.across:
        print_line(console, over.facts.title, "bold")
        print_text(console, over.overview.to_string(index=False))
        console.print()
    if report.refusal:
        print_line(console, report.refusal)
    for problem in report.problems:
        print_line(console, f"Note: {problem}", "yellow")
    print_line(console, str(report.page))


def _fitting(summary: "pd.DataFrame", width: int) -> tuple[str, list[str]]:
    """What of the summary fits 80 columns, and measures of plugins as far as the terminal is wider; and the others."""
    titles = {column.title: View.TERMINAL in column.views for column in COLUMNS}
    shown = [name for name in summary if name in COUNTS or titles.get(str(name))]
    if (summary["unfinished"] == "0").all():
        shown.remove("unfinished")
    for name in summary.columns.drop(COUNTS):
        wider = summary[[*shown, name]].to_string(index=False)
        if name not in titles and max(map(len, wider.splitlines())) <= width:
            shown.append(name)
    left_out = [str(name) for name in summary.columns.drop(COUNTS) if name not in titles and name not in shown]
    return summary[shown].to_string(index=False), left_out


def show_markdown(report: "Report") -> None:
    """Every table as Markdown on standard output, and what was left out on standard error."""
    sections = [section.markdown for section in report.sections]
    for texts in (*sections, *[over.markdown for over in report.across]):
        for text in texts:
            terminal.say(text)
    if report.refusal:
        terminal.say(report.refusal)
    for problem in report.problems:
        terminal.say(f"Note: {terminal.one_line(problem)}", error=True)


def show_status(console: Console, results: Path, standing: Mapping[str, Standing]) -> None:
    """How every run stands: counts by method and data set, and whatever is not finished.

    Args:
        console: where to.
        results: the results folder.
        standing: how runs stand that were launched and left, by their ids.
    """
    counts: dict[tuple[str, str, str], dict[Status, int]] = {}
    unfinished: list[tuple[Status, str]] = []
    for folder in run_folders(results):
        try:
            cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
            status = folder.status()
        except (StoreError, OSError) as error:
            unfinished.append((Status.FAILED, f"{folder.id}: {error}"))
            continue
        left = standing.get(folder.id)
        if left is not None and left.queued and status in (Status.FAILED, Status.INTERRUPTED):
            status = Status.QUEUED
        group = counts.setdefault((cell.method, str(cell.dataset), cell.protocol.name), {})
        group[status] = group.get(status, 0) + 1
        if status is not Status.DONE:
            where = _where(folder, status, cell.protocol.train.steps)
            if left is not None and status in (Status.QUEUED, Status.INTERRUPTED):
                where = f"{left.text}; {where}"
            elif left is not None and status is Status.RUNNING and left.where:
                where = f"in {left.where}, {where}"
            unfinished.append((status, f"{folder.id}: {where}"))
    occurring = [status for status in Status if any(status in group for group in counts.values())]
    table = open_table("method", "data set", "protocol", *map(str, occurring))
    for key, group in sorted(counts.items()):
        table.add_row(*map(Text, key), *(str(group.get(status, "")) for status in occurring))
    console.print(table)
    for status, text in unfinished:
        print_line(console, f"{status}: {text}", STYLES[status])
    if any(status is Status.FAILED for status, _ in unfinished):
        print_line(
            console,
            "`lipbench show RUN` has the traceback of a failed run; the command that started it goes on from its last "
            "checkpoint, and with --retry-failed starts it over.",
        )


def _where(folder: RunFolder, status: Status, steps: int) -> str:
    """How far a run is, or why it stopped, or why nobody can say."""
    try:
        error = folder.read_json("error.json") if status in (Status.FAILED, Status.DIVERGED) else None
        if error is not None:
            return f"{error.get('message')} ({error.get('kind')}, attempt {error.get('attempt')})"
        trace = folder.trace()[0]
        holder = folder.holder() if status is Status.RUNNING else None
    except (StoreError, OSError) as problem:
        return str(problem)
    place = "" if holder is None or holder.host in (None, platform.node()) else f"on {holder.host}, "
    far = f"evaluated at step {trace[-1]['step']:,} of {steps:,}" if trace else f"no evaluation yet, of {steps:,} steps"
    return place + far


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"


def show_run(console: Console, folder: RunFolder) -> None:
    """One run, from what was asked to what came of it; what cannot be read is named after what can."""
    problems: dict[str, None] = {}
    nothing: dict[str, Any] = {}

    def readable(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except (StoreError, OSError) as problem:
            problems[str(problem)] = None
            return otherwise

    status = readable(folder.status, None)
    print_line(console, f"{folder.id}: {status or 'its state is not known'}", STYLES[status or Status.FAILED])
    print_line(console, f"{folder.path}", "dim")
    print_block(console, "asked", readable(lambda: _asked(folder), nothing))
    place = dict(readable(lambda: folder.read_json("environment.json") or nothing, nothing))
    place.pop("measures", None)  # what they are called stands beside their values
    print_block(console, "environment", place)
    result = readable(lambda: folder.result() or nothing, nothing)
    print_block(console, "result", {key: value for key, value in result.items() if value is not None})
    error = readable(lambda: folder.read_json("error.json"), None)
    if error is not None:
        trace = error.pop("traceback", None)
        print_block(console, "error", error)
        if trace:
            console.print(Padding(Text(terminal.visible(str(trace))), (0, 0, 0, 2)))
    problem = readable(lambda: folder.trace()[1], None)
    for text in [*problems, *([problem] if problem else [])]:
        print_line(console, f"Note: {text}", "yellow")


def _asked(folder: RunFolder) -> dict[str, Any]:
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    return {
        "method": cell.method,
        "data set": str(cell.dataset),
        "seed": cell.seed,
        "protocol": f"{cell.protocol.name} ({cell.comparison}, {cell.settings} settings)",
        "architecture": str(cell.architecture),
        "loss": cell.protocol.loss,
        **{f"train.{key}": value for key, value in cell.protocol.train.model_dump().items()},
        **{f"evaluate.{key}": value for key, value in cell.protocol.evaluate.model_dump().items()},
    }
