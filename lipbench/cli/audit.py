"""``lipbench audit``: how steep a critic is, anyone's, without training it."""

from pathlib import Path
from typing import Any

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@click.argument("subject", metavar="CRITIC|RUN")
@click.option("--weights", type=click.Path(path_type=Path), help="A state_dict's file, .pt or .safetensors.")
@click.option("--data", metavar="DATASET", help="Real points, such as cifar10; noise alone if left out.")
@click.option("--shape", help="Of a point where there is no data, such as 3,32,32.")
@click.option("--score", metavar="METHOD", help="Put the score of a method around the critic, such as gn.")
@click.option("--points", type=click.IntRange(2, 10_000), default=100, show_default=True, help="At each place.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON, and nothing else.")
@click.option("--page", type=click.Path(path_type=Path), help="A folder for index.html, the figure and audit.json.")
@options.device
@options.data_root
@options.results
def audit(subject: str, as_json: bool, page: Path | None, **asked: Any) -> None:
    """Say how steep a critic is.

    That is the steepest slope found, and a Lipschitz bound that is proven.

    CRITIC is a function or class in a file of yours, ./critic.py:make, that gives the critic when it is called without
    arguments, as (image_shape) or as (image_shape, latent_dim); or a shared network, cnn-32. A RUN has its own critic,
    score and data. Nothing is trained, and no code in a file of weights is run.

    \b
    lipbench audit ./critic.py:make --weights weights.pt --data 'folder[path=images,size=32]'
    lipbench audit gn-cifar10-s0
    lipbench audit ./critic.py:make --score gn --page audited
    """  # noqa: D301 - click keeps the lines after \b as they are
    from lipbench.api import auditing
    from lipbench.disk.files import to_json
    from lipbench.screen import audited

    if as_json:
        terminal.say(to_json(auditing.audit(subject, page=page, **asked)).rstrip())
        return
    console = terminal.console()
    with console.status(f"auditing {subject} …"):
        record = auditing.audit(subject, page=page, **asked)
    audited.show(console, record)
    if page is not None:
        console.print(str(page / "index.html"), soft_wrap=True, highlight=False)
