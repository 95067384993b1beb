"""Commands that say what there is: ``lipbench methods``, ``datasets``, ``protocols`` and the other kinds of plugins."""

import click

from lipbench import terminal
from lipbench.plugins.kinds import KINDS, Kind


def _lists(kind: Kind) -> click.Command:
    """The command that lists the plugins of a kind."""

    @click.command(kind.plural, help=f"List the {kind.many} and their parameters.")
    def command() -> None:
        from lipbench.screen import known

        known.show_plugins(terminal.console(), kind)

    return command


listing = [_lists(kind) for kind in KINDS]


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
