"""Commands that read results: ``lipbench report``, ``status`` and ``show``."""

from pathlib import Path
from typing import Literal

import click

from lipbench.cli import options


@click.command()
@options.results
@click.option("--out", type=click.Path(path_type=Path), help="Where to write.  [default: RESULTS/report]")
@click.option("--baseline", help="A method with which all others are compared, seed by seed, such as gp.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "md"]),
    default="text",
    show_default=True,
    help="How tables are printed: for reading here, or as Markdown, for an issue.",
)
def report(results: Path, out: Path | None, baseline: str | None, style: Literal["text", "md"]) -> None:
    """Make tables, figures and a page of the results."""
    from rich.console import Console

    from lipbench import api
    from lipbench.screen import runs

    made = api.report(results, out, baseline=baseline)
    if style == "md":
        runs.show_markdown(made)
    else:
        runs.show_report(Console(), made)


@click.command()
@options.results
def status(results: Path) -> None:
    """Show how every run stands."""
    from rich.console import Console

    from lipbench.screen import runs

    runs.show_status(Console(), results)


@click.command()
@click.argument("run_id", metavar="RUN")
@options.results
def show(run_id: str, results: Path) -> None:
    """Show all about one run.

    What was asked, where it took place, and what came of it.
    RUN is a run's id, the beginning of its id, or its folder.
    """
    from rich.console import Console

    from lipbench.results import find_run
    from lipbench.screen import runs

    runs.show_run(Console(), find_run(results, run_id))
