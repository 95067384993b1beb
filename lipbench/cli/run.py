"""``lipbench run``."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@click.option("--methods", required=True, help="Such as gn,sn,'gp[weight=1,10]',sn+gp,./my_method.py")
@click.option("--datasets", help="Such as digits or 'w1[dim=16]'; the protocol's own if left out.")
@click.option("--seeds", default=None, help="Such as 0-4 or 0,2,7.  [default: 0-4; 0 with --quick]")
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@click.option(
    "--settings",
    type=click.Choice(["shared", "recommended"]),
    default="shared",
    show_default=True,
    help="The same settings for every method, or each method's own.",
)
@click.option("--measures", help="To take besides what every run measures, such as prdc,./my_measure.py")
@click.option("--steps", type=click.IntRange(min=1), help="Training steps, in place of the protocol's.")
@options.overrides
@click.option(
    "--on",
    default="local",
    show_default=True,
    metavar="LAUNCHER",
    help="Where: slurm[partition=gpu], ray[address=auto] …; `lipbench launchers` lists them.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Runs at a time.  [default: one a core, or one on each GPU]")
@options.precision
@options.device
@click.option("--timeout", type=float, help="Seconds after which a run is stopped; it goes on when run again.")
@click.option("--retry-failed", is_flag=True, help="Start failed and diverged runs over; what is there is set aside.")
@click.option("--quick", is_flag=True, help="A smoke run of seconds: few steps, one seed.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check everything, say what it will take, and start nothing; under Slurm, show what would be submitted.",
)
@options.data_root
@options.inception_weights
@options.results
def run(
    methods: str,
    seeds: str | None,
    measures: str | None,
    steps: int | None,
    overrides: dict[str, Any],
    precision: str | None,
    on: str,
    device: str,
    timeout: float | None,
    retry_failed: bool,
    quick: bool,
    dry_run: bool,
    data_root: Path | None,
    inception_weights: Path | None,
    results: Path,
    **asked: Any,
) -> None:
    """Train and measure methods × data sets × seeds.

    Finished runs are skipped, interrupted and failed ones go on from their last checkpoint, so the same command can be
    given again at any time. At SIGINT (Ctrl-C), SIGTERM, SIGUSR1 or SIGHUP every run writes its checkpoint; a second
    one ends all at once. Exit codes: 0 all runs are finished or queued, 1 some failed, 2 the request was wrong and
    nothing was started, 128 + the signal's number.
    """
    from lipbench.api import running
    from lipbench.disk import places
    from lipbench.launch.signals import Stopped
    from lipbench.screen import runs
    from lipbench.screen.display import Display

    short = {"train.steps": steps, "train.precision": precision, "evaluate.measures": measures}
    request = running.read_request(
        methods,
        seeds=seeds or ("0" if quick else "0-4"),
        overrides=overrides | {key: value for key, value in short.items() if value is not None},
        quick=quick,
        **asked,
    )
    console = terminal.console()
    try:
        with (
            places.at(data_root, inception_weights),
            Display(console, results, request.planned) as display,
        ):
            sweep = running.launch(
                request,
                results,
                on=on,
                device=device,
                timeout=timeout,
                retry_failed=retry_failed,
                listener=display,
                dry_run=dry_run,
            )
            if dry_run:
                runs.show_plan(console, sweep)
                return
    except Stopped as stopped:
        with suppress(OSError, SystemExit):  # the terminal may be gone
            console.print(str(stopped), soft_wrap=True)
        sys.exit(stopped.code)
    runs.show_summary(console, sweep.summary, results)
    sys.exit(0 if sweep.summary.complete else 1)
