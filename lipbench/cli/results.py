"""Commands that read results: ``lipbench report``, ``status`` and ``show``."""

from pathlib import Path

import click

from lipbench.cli import options


@click.command()
@options.results
@click.option("--out", type=click.Path(path_type=Path), help="Where to write.  [default: RESULTS/report]")
def report(results: Path, out: Path | None) -> None:
    """Make tables, figures and a page of the results."""
    from rich.console import Console

    from lipbench import api
    from lipbench.screen import runs

    runs.show_report(Console(), api.report(results, out))


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
