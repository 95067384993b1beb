"""Commands that say what there is: ``lipbench methods``, ``datasets`` and ``protocols``."""

import click

from lipbench import terminal


@click.command()
def methods() -> None:
    """List the methods: formula, paper and parameters."""
    _show_plugins("method")


@click.command()
def datasets() -> None:
    """List the data sets."""
    _show_plugins("dataset")


@click.command()
@click.argument("name", required=False)
def protocols(name: str | None) -> None:
    """List the protocols, or print one as TOML.

    A printed one is a start for a file of your own:

    \b
    lipbench protocols cifar10-cnn > mine.toml && lipbench run --protocol ./mine.toml --methods gn
    """  # noqa: D301 - click keeps the lines after \b as they are
    from lipbench.request import protocol
    from lipbench.screen import known

    if name is not None:
        with terminal.written():
            click.echo(protocol.text(name).encode(), nl=False)  # a file of TOML is UTF-8 in every locale
    else:
        known.show_protocols(terminal.console())


def _show_plugins(word: str) -> None:
    from lipbench.plugins import registry
    from lipbench.screen import known

    known.show_plugins(terminal.console(), {"method": registry.METHOD, "dataset": registry.DATASET}[word])
