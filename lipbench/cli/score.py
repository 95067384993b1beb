"""Commands before and after training: ``lipbench prepare`` and ``evaluate``."""

from pathlib import Path
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@click.option("--datasets", help="The protocol's own if left out.")
@options.overrides
@options.device
@options.data_root
@options.inception_weights
@options.results
def prepare(protocol: str, **asked: Any) -> None:
    """Bring data and weights ahead of time.

    The statistics of the real pictures are measured as well.
    What was brought is found again without a network: data in --data-root, statistics in $LIPBENCH_CACHE.
    """
    from lipbench.api import scoring
    from lipbench.screen import scores

    console = terminal.console()
    console.print(f"preparing {protocol}: data, weights and the statistics of the real pictures …", style="dim")
    ready = scoring.prepare(protocol, **asked, note=lambda text: scores.show_note(console, text))
    scores.show_prepared(console, ready)


@click.command()
@click.argument("subjects", nargs=-1, required=True, metavar="RUN|DATASET…")
@click.option("--against", metavar="DATASET", help="The real pictures; a run's own data set if left out.")
@click.option("--split", type=click.Choice(["train", "held_out", "all"]), help="The part of the real pictures.")
@click.option("--samples", type=click.IntRange(min=2), help="How many pictures; all of a folder if left out.")
@click.option("--extractor", help="Such as inception-v3-compat.")
@click.option("--measures", help="To take besides, such as prdc.")
@click.option("--protocol", help="Whose evaluate table folders are scored by.  [default: cifar10-cnn]")
@options.overrides
@options.json_file
@options.device
@options.data_root
@options.inception_weights
@options.results
def evaluate(subjects: tuple[str, ...], json_file: Path | None, **asked: Any) -> None:
    """Score finished runs, or pictures, again.

    Nothing is trained: more samples, another extractor, or a folder of images from other code. --json writes an object,
    or a list of several.

    \b
    lipbench evaluate gn-cifar10-s0-3f9a --samples 50000
    lipbench evaluate 'folder[path=fakes,size=32]' --against cifar10 --json scores.json
    """  # noqa: D301 - click keeps the lines after \b as they are
    from lipbench.api import scoring
    from lipbench.disk.files import to_json, write_atomically
    from lipbench.screen import scores

    console = terminal.console()
    console.print(f"scoring {', '.join(subjects)} …", style="dim", soft_wrap=True)
    records = scoring.evaluate(subjects, **asked)
    scores.show_scores(console, records)
    if json_file is not None:
        write_atomically(json_file, to_json(records[0] if len(records) == 1 else records))
