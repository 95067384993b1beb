"""``lipbench check``."""

import sys
from pathlib import Path

import click

from lipbench import terminal
from lipbench.cli import options


@click.command()
@click.argument("architecture")
@click.option("--methods", default="wc,sn,gp,gn", show_default=True, help="Such as gn,'gp[weight=1]',./my_method.py")
@click.option("--datasets", help="Such as digits; the protocol's own if left out.")
@click.option("--protocol", default="digits", show_default=True, help="A protocol's name, or the path of a TOML file.")
@options.assignments
@options.device
@options.data_root
@options.inception_weights
def check(
    architecture: str,
    methods: str,
    datasets: str | None,
    protocol: str,
    assignments: tuple[str, ...],
    device: str,
    data_root: Path | None,
    inception_weights: Path | None,
) -> None:
    """Say what each method makes of your networks.

    ARCHITECTURE is a function in a file of yours, ./nets.py:make, or the name of a shared network, cnn-32. It is tried
    as before a run: accepted, with the way in which gradients are taken, all that stands against the quick one, and
    the time of a run; or refused, with the reason. The protocol gives the shape of the pictures: 1×8×8 for digits,
    3×32×32 for cifar10-cnn. Nothing is trained, and nothing is written.

    Exit codes: 0 every method accepts the networks, 1 some do not, 2 the request was wrong.
    """
    from lipbench.api import checks
    from lipbench.request.settings import read_setting
    from lipbench.screen import verdicts

    console = terminal.console()
    with verdicts.Watch(console) as watch:
        found = checks.check(
            architecture,
            methods,
            datasets=datasets,
            protocol=protocol,
            overrides=dict(read_setting(text) for text in assignments),
            device=device,
            data_root=data_root,
            inception_weights=inception_weights,
            listener=watch,
        )
    verdicts.show(console, found)
    sys.exit(0 if all(verdict.accepted for verdict in found) else 1)
