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


_data_root = click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LIPBENCH_DATA",
    show_envvar=True,
    help="Where published data sets are, or go to.",
)
_inception = click.option(
    "--inception-weights",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="LIPBENCH_INCEPTION",
    show_envvar=True,
    help="A file; downloaded by torch-fidelity if left out.",
)
_device = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:0 …")
_assignments = click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Such as evaluate.kid_subset_size=64."
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
@_device
@click.option("--timeout", type=float, help="Seconds after which a run is stopped; it goes on when run again.")
@click.option("--retry-failed", is_flag=True, help="Set failed and diverged runs aside and start them over.")
@click.option("--quick", is_flag=True, help="A smoke run of seconds: 20 steps, one seed.")
@click.option("--dry-run", is_flag=True, help="Show what would be run, and start nothing.")
@_data_root
@_inception
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
    data_root: Path | None,
    inception_weights: Path | None,
    results: Path,
) -> None:
    """Train and measure every method on every data set with every seed.

    Finished runs are skipped and interrupted ones go on from their checkpoint, so the same command can be given again
    at any time. Exit codes: 0 all runs are finished, 1 some failed, 2 the request was wrong and nothing was started.
    """
    from rich.console import Console

    from lipbench import api, places, screen
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
        with (
            places.at(data_root, inception_weights),
            Display(console, results, request.planned, request.jobs) as display,
        ):
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
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@click.option("--datasets", help="The protocol's own if left out.")
@_assignments
@_device
@_data_root
@_inception
@_results
def prepare(
    protocol: str,
    datasets: str | None,
    assignments: tuple[str, ...],
    device: str,
    data_root: Path | None,
    inception_weights: Path | None,
    results: Path,
) -> None:
    """Bring data, weights and the statistics of real pictures ahead of time.

    What was brought is found again without a network: data in --data-root, statistics in $LIPBENCH_CACHE.
    """
    from rich.console import Console

    from lipbench import evaluation, screen
    from lipbench.settings import read_setting

    console = Console()
    console.print(f"preparing {protocol}: data, weights and the statistics of the real pictures …", style="dim")
    ready = evaluation.prepare(
        protocol,
        datasets=datasets,
        overrides=dict(read_setting(text) for text in assignments),
        device=device,
        data_root=data_root,
        inception_weights=inception_weights,
        results=results,
    )
    screen.show_prepared(console, ready)


@main.command()
@click.argument("subjects", nargs=-1, required=True, metavar="RUN|DATASET…")
@click.option("--against", metavar="DATASET", help="The real pictures; a run's own data set if left out.")
@click.option("--split", type=click.Choice(["train", "held_out", "all"]), help="The part of the real pictures.")
@click.option("--samples", type=click.IntRange(min=2), help="How many pictures; all of a folder if left out.")
@click.option("--extractor", help="Such as inception-v3-compat.")
@click.option(
    "--protocol", default="cifar10-cnn", show_default=True, help="Whose evaluate table folders are scored by."
)
@_assignments
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the scores there as well.")
@_device
@_data_root
@_inception
@_results
def evaluate(
    subjects: tuple[str, ...],
    against: str | None,
    split: str | None,
    samples: int | None,
    extractor: str | None,
    protocol: str,
    assignments: tuple[str, ...],
    json_file: Path | None,
    device: str,
    data_root: Path | None,
    inception_weights: Path | None,
    results: Path,
) -> None:
    r"""Score finished runs again, or pictures from anywhere, without training.

    
    lipbench evaluate gn-cifar10-s0-3f9a --samples 50000
    lipbench evaluate 'folder[path=fakes,size=32]' --against cifar10 --json scores.json
    """
    from rich.console import Console

    from lipbench import evaluation, screen
    from lipbench.settings import read_setting
    from lipbench.store import to_json, write_atomically

    records = evaluation.evaluate(
        subjects,
        against=against,
        split=split,
        samples=samples,
        extractor=extractor,
        overrides=dict(read_setting(text) for text in assignments),
        protocol=protocol,
        device=device,
        data_root=data_root,
        inception_weights=inception_weights,
        results=results,
    )
    screen.show_scores(Console(), records)
    if json_file is not None:
        write_atomically(json_file, to_json(records[0] if len(records) == 1 else records))


@main.command()
@click.argument("name", required=False)
def protocols(name: str | None) -> None:
    r"""List the protocols that come with lipbench, or print one as TOML to start your own from.

    
    lipbench protocols cifar10-cnn > mine.toml && lipbench run --protocol ./mine.toml --methods gn
    """
    from rich.console import Console

    from lipbench import protocol, screen

    if name is not None:
        click.echo(protocol.text(name), nl=False)
    else:
        screen.show_protocols(Console())


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
