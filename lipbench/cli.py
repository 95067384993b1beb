"""The command line: a thin skin over `lipbench.api`. Commands import what they need when they run."""

import sys
from pathlib import Path
from typing import Any, Literal

import click

from lipbench import __version__
from lipbench.errors import LipbenchError

INTERRUPTED = 130  # the shell's code for Ctrl-C


class _Group(click.Group):
    """Prints what a user can mend as one message, without a traceback, and exits with code 2."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except LipbenchError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)


_results = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default="results",
    show_default=True,
    help="The results folder.",
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    r"""Compare the ways of making a neural critic Lipschitz.

    \b
    lipbench run --methods wc,sn,gp,gn     train and measure: the same networks, data and seeds for all
    lipbench report                        tables, figures and a page from the results
    """


@main.command()
@click.option("--methods", required=True, help="Such as gn,sn,'gp[weight=1,10]',sn+gp,./my_method.py")
@click.option("--datasets", help="Such as digits; the protocol's own if left out.")
@click.option("--seeds", default=None, help="Such as 0-4 or 0,2,7.  [default: 0-4; 0 with --quick]")
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@click.option(
    "--settings",
    type=click.Choice(["shared", "recommended"]),
    default="shared",
    show_default=True,
    help="The same settings for every method, or each method's own.",
)
@click.option("--steps", type=click.IntRange(min=1), help="Generator steps, in place of the protocol's.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Such as train.batch_size=64.")
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at a time.  [default: one a core, or one on a GPU]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:0 …")
@click.option("--timeout", type=float, help="Seconds after which a run is stopped; it goes on when run again.")
@click.option("--retry-failed", is_flag=True, help="Set failed and diverged runs aside and start them over.")
@click.option("--quick", is_flag=True, help="A smoke run of seconds: 20 steps, one seed.")
@click.option("--dry-run", is_flag=True, help="Show what would be run, and start nothing.")
@_results
def run(
    methods: str,
    datasets: str | None,
    seeds: str | None,
    protocol: str,
    settings: Literal["shared", "recommended"],
    steps: int | None,
    assignments: tuple[str, ...],
    jobs: int | None,
    device: str,
    timeout: float | None,
    retry_failed: bool,
    quick: bool,
    dry_run: bool,
    results: Path,
) -> None:
    """Train and measure every method on every data set with every seed.

    Finished runs are skipped and interrupted ones go on from their checkpoint, so the same command can be given again
    at any time. Exit codes: 0 all runs are finished, 1 some failed, 2 the request was wrong and nothing was started.
    """
    from rich.console import Console

    from lipbench import api, screen
    from lipbench.runner.display import Display
    from lipbench.settings import read_setting

    overrides = dict(read_setting(text) for text in assignments)
    request = api.read_request(
        methods,
        datasets=datasets,
        seeds=seeds or ("0" if quick else "0-4"),
        protocol=protocol,
        settings=settings,
        overrides=overrides | ({"train.steps": steps} if steps else {}),
        quick=quick,
        jobs=jobs,
        device=device,
    )
    console = Console()
    if dry_run:
        screen.show_plan(console, request, results)
        return
    try:
        with Display(console, results, request.planned, request.jobs) as display:
            summary = api.launch(
                request, results, device=device, timeout=timeout, retry_failed=retry_failed, listener=display
            )
    except KeyboardInterrupt:
        console.print("Interrupted. Nothing is lost: the same command goes on from here.")
        sys.exit(INTERRUPTED)
    screen.show_summary(console, summary, results)
    sys.exit(0 if summary.complete else 1)


@main.command()
@_results
@click.option("--out", type=click.Path(path_type=Path), help="Where to write.  [default: RESULTS/report]")
def report(results: Path, out: Path | None) -> None:
    """Make runs.csv, tables, figures and index.html from the results."""
    from rich.console import Console

    from lipbench import api, screen

    screen.show_report(Console(), api.report(results, out))


@main.command()
@_results
def status(results: Path) -> None:
    """Show how every run stands."""
    from rich.console import Console

    from lipbench import screen

    screen.show_status(Console(), results)


@main.command()
@click.argument("run_id", metavar="RUN")
@_results
def show(run_id: str, results: Path) -> None:
    """Show one run: what was asked, where it took place, and what came of it.

    RUN is a run's id, the beginning of its id, or its folder.
    """
    from rich.console import Console

    from lipbench import screen, store

    screen.show_run(Console(), store.find_run(results, run_id))


@main.command()
def methods() -> None:
    """List the installed methods: formula, paper, guarantee and parameters."""
    _show_plugins("method")


@main.command()
def datasets() -> None:
    """List the installed data sets."""
    _show_plugins("dataset")


def _show_plugins(word: str) -> None:
    from rich.console import Console

    from lipbench import registry, screen

    screen.show_plugins(Console(), {"method": registry.METHOD, "dataset": registry.DATASET}[word])
