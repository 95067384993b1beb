"""What there is: protocols and plugins."""

from rich.console import Console

from lipbench.errors import LipbenchError
from lipbench.plugins import registry
from lipbench.plugins.kinds import METHOD, Kind
from lipbench.request import protocol
from lipbench.screen.lines import print_line


def show_protocols(console: Console) -> None:
    """Every protocol that comes with lipbench: its first line, and what it says in short."""
    for name in protocol.named():
        data = protocol.read(name)
        own = data.get("recommended", {})
        lines = [
            protocol.text(name).partition("\n")[0].removeprefix("# "),
            *protocol.check(data, {}).in_words(),
            f"recommended settings for {', '.join(own)}" if own else "",
        ]
        print_line(console, name, "bold")
        for line in filter(None, lines):
            print_line(console, f"    {line}")
        console.print()
    print_line(
        console, "`lipbench protocols NAME` prints one as TOML; a file of your own is run by --protocol ./mine.toml"
    )


def show_plugins(console: Console, kind: Kind) -> None:
    """Every installed plugin, as its file describes it."""
    for name, places in registry.installed(kind).items():
        for found in places:
            twice = "  (defined twice: uninstall or rename one)" if len(places) > 1 else ""
            print_line(console, name + twice, "bold")
            try:
                card = found.card
            except LipbenchError as error:
                print_line(console, f"    {error}", "red")
                continue
            lines = {"": card.summary, **card.fields}
            if kind is METHOD:
                lines["guarantee"] = str(card.constants.get("guarantee", "none"))
            lines["parameters"] = ", ".join(map(str, card.parameters)) or "none"
            for key, value in lines.items():
                print_line(console, f"    {key + ': ' if key else ''}{value}")
            console.print()
