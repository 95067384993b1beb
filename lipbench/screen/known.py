"""What there is: protocols and plugins."""

from rich.console import Console

from lipbench.errors import LipbenchError
from lipbench.plugins import registry
from lipbench.plugins.kinds import METHOD, Kind
from lipbench.request import protocol
from lipbench.request.schema import CriticProtocol, Protocol
from lipbench.screen.lines import print_line


def show_protocols(console: Console) -> None:
    """Every protocol that comes with lipbench: its first line, and what it says in short."""
    for name in protocol.named():
        data = protocol.read(name)
        settings = protocol.check(data, {})
        own = data.get("recommended", {})
        lines = [
            protocol.text(name).partition("\n")[0].removeprefix("# "),
            *(_of_both(settings) if isinstance(settings, Protocol) else _of_critic(settings)),
            f"recommended settings for {', '.join(own)}" if own else "",
        ]
        print_line(console, name, "bold")
        for line in filter(None, lines):
            print_line(console, f"    {line}")
        console.print()
    print_line(
        console, "`lipbench protocols NAME` prints one as TOML; a file of your own is run by --protocol ./mine.toml"
    )


def _of_both(settings: Protocol) -> list[str]:
    train, measured = settings.train, settings.evaluate
    real = f"{measured.real_samples:,}" if measured.real_samples else "all"
    return [
        f"{settings.datasets}, {settings.architecture}, {settings.loss} loss, {train.steps:,} steps of "
        f"{train.critic_steps} critic step{'s' * (train.critic_steps != 1)}",
        f"batch {train.batch_size}/{train.generator_batch_size} and learning rate {train.learning_rate:g}/"
        f"{train.generator_learning_rate:g} (critic/generator), decay {train.decay}, EMA {train.ema_decay:g}",
        f"{measured.samples:,} pictures against {real} of the {measured.split} split by {measured.extractor}",
    ]


def _of_critic(settings: CriticProtocol) -> list[str]:
    train, measured = settings.train, settings.evaluate
    return [
        f"{settings.datasets}, {settings.architecture}, {settings.loss} loss, {train.steps:,} steps of a critic alone",
        f"batch {train.batch_size}, learning rate {train.learning_rate:g}, decay {train.decay}",
        f"gradient compared with the true one at {measured.transport_points:,} points",
    ]


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
