"""``lipbench cost``: what a training step of each method takes."""

from pathlib import Path
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@click.option("--methods", default="wc,sn,gp,gn", show_default=True, help="`none` is always added.")
@click.option(
    "--architecture", default="cnn-32", show_default=True, help="A shared network, or your own: ./nets.py:make."
)
@click.option("--side", type=click.IntRange(min=1), help="Pixels of a picture's side.  [default: by the name, or 32]")
@click.option("--channels", type=click.IntRange(min=1), help="Of a picture.  [default: 1 for 8 pixels, else 3]")
@click.option("--batch-size", type=click.IntRange(min=1), default=64, show_default=True, help="Real images of a step.")
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True, help="How often each is timed.")
@click.option(
    "--engine",
    type=click.Choice(["three-sweep", "double-backward", "both"]),
    default="both",
    show_default=True,
    help="How gradients are taken where a method needs gradient norms.",
)
@options.precision
@options.device
@options.json_file
@options.results
def cost(precision: str | None, json_file: Path | None, results: Path, **asked: Any) -> None:
    """Time a training step of each method.

    Critic step, generator step and whole iteration of each method are timed in turn in one process, on noise, so that
    the machine's drift cancels out of their ratios. Operations are counted as they are dispatched. The figure goes to
    the results folder.
    """
    from rich.progress import Progress

    from lipbench.api import networks
    from lipbench.disk.files import to_json, write_atomically
    from lipbench.disk.results import prepare_results
    from lipbench.reports.drawing.cost import draw_cost
    from lipbench.reports.drawing.style import write
    from lipbench.request.cell import file_name
    from lipbench.screen import scores

    prepare_results(results)
    console = terminal.console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rounds", total=asked["rounds"])
        records = networks.cost(
            **asked,
            precision=precision or "float32",
            progress=lambda done: bar.update(task, completed=done),
        )
    scores.show_cost(console, records)
    first = records[0]
    shape = f"-{'x'.join(map(str, first['shape']))}" if asked["side"] or asked["channels"] else ""
    stem = results / "cost" / f"{file_name(first['architecture'])}{shape}-b{first['batch_size']}-{first['precision']}"
    stem.parent.mkdir(exist_ok=True)
    write(draw_cost(records), stem)
    console.print(f"{stem}.png (and .svg, .pdf)", soft_wrap=True, highlight=False)
    if json_file is not None:
        write_atomically(json_file, to_json(records))
