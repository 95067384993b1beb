"""Commands about results: ``lipbench report``, ``status``, ``show``, ``picture`` and ``merge``."""

import sys
from pathlib import Path
from typing import Literal

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@options.results
@click.option("--out", type=click.Path(path_type=Path), help="Where to write.  [default: RESULTS/report]")
@click.option("--baseline", help="A method with which all others are compared, such as gp.")
@click.option(
    "--add",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="CSV",
    help="A table of runs that were made elsewhere; again for another.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "md"]),
    default="text",
    show_default=True,
    help="How tables are printed: for reading here, or as Markdown, for an issue.",
)
def report(
    results: Path, out: Path | None, baseline: str | None, add: tuple[Path, ...], style: Literal["text", "md"]
) -> None:
    """Make tables, figures and a page of the results.

    A table that is added has the columns of runs.csv, in any order: method, dataset, seed, protocol (a name of yours
    for how was trained and measured), and fid, sample_w1 or cos; any of the others where they are known. status
    is done or diverged, done if left out. Rows are compared where protocol, architecture, loss, settings,
    samples, real_samples, split and extractor are equal. They are paired by seed only where pairing is equal too:
    a name of yours for what gives equal seeds the same pictures and random numbers; left empty, methods are
    compared by Welch's t-test. Runs of lipbench (pairing lipbench) and runs from elsewhere are never paired.
    fid_real and fid_noise (real pictures, noise) are needed for scores over data sets. docs/columns.md says of
    every column what stands in it.
    """
    from lipbench.api import running
    from lipbench.screen import runs

    made = running.report(results, out, baseline=baseline, add=add)
    if style == "md":
        runs.show_markdown(made)
    else:
        runs.show_report(terminal.console(), made)


@click.command()
@options.results
def status(results: Path) -> None:
    """Show how every run stands.

    Finished, running and on which machine, queued on a cluster, failed and why.
    """
    from lipbench.api import launching
    from lipbench.screen import runs

    standing, problems = launching.standing(results)
    runs.show_status(terminal.console(), results, standing)
    for problem in problems:
        terminal.say(f"Note: {problem}", error=True)


@click.command()
@click.argument("run_id", metavar="RUN")
@options.results
def show(run_id: str, results: Path) -> None:
    """Show all about one run.

    What was asked, where it took place, and what came of it.
    RUN is a run's id, the beginning of its id, or its folder.
    """
    from lipbench.disk.results import find_run
    from lipbench.screen import runs

    runs.show_run(terminal.console(), find_run(results, run_id))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--raw", is_flag=True, help="The raw critic rather than its score, which the losses see.")
@click.option("--out", type=click.Path(path_type=Path), help="A folder for the files.  [default: RESULTS/pictures]")
@options.device
@options.results
def picture(run_id: str, raw: bool, out: Path | None, device: str, results: Path) -> None:
    """Draw the critic of one run on points in the plane.

    Its score as contours, with real and generated points, and along one line through the data, where jumps can be seen:
    as PNG, SVG and PDF. RUN is a run's id, the beginning of its id, or its folder.

    \b
    lipbench run --protocol modes --methods gn --seeds 0 && lipbench picture gn-ring-s0
    """  # noqa: D301 - click keeps the lines after \b as they are
    from lipbench.api import picturing

    made = picturing.picture(run_id, raw=raw, out=out, device=device, results=results)
    terminal.console().print(str(made), soft_wrap=True, highlight=False)


@click.command()
@click.argument("folders", metavar="FOLDER…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path), help="The results folder that takes the runs.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def merge(folders: tuple[Path, ...], into: Path, dry_run: bool) -> None:
    """Bring the runs of several results folders together.

    \b
    lipbench merge from-a from-b --into results && lipbench report

    FOLDER is a results folder, such as one of another machine, or the folder of a single run. Nothing is overwritten,
    and FOLDER stays as it is. All is compared first: where two folders hold one run with different numbers, or
    yardsticks of different data or extractors, nothing is merged and both paths are named. Times, memory and machines
    may differ.

    A run that is not there yet is copied, and can go on there if it is not finished. An unfinished one that is there is
    set aside where FOLDER has it finished. What is damaged or being worked on is left out and named; the rest is
    merged, and the same command takes the others later. Exit codes: 0 all is merged, 1 something damaged or being
    worked on was left out, 2 nothing could be merged.
    """  # noqa: D301 - click keeps the lines after \b as they are
    from lipbench.api import merging
    from lipbench.screen.merged import show_merged

    merged = merging.merge(folders, into=into, dry_run=dry_run)
    show_merged(terminal.console(), merged, into, dry_run=dry_run)
    sys.exit(0 if merged.complete else 1)
