"""What the checks say of networks, method by method."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lipbench.launch.checking import Verdict
from lipbench.launch.listener import Listener, duration
from lipbench.screen.lines import print_line

ELSEWHERE = ("extractor", "curve_extractor", "features")  # of pictures, not of networks
USUAL = (("lipschitz_target", 1.0), ("passes", 1))


@contextmanager
def watching(console: Console) -> Iterator[Listener]:
    """A listener that shows the present stage on a terminal, and elsewhere nothing."""
    listener = Listener()
    with console.status(Text("starting")) as status:
        listener.checking = lambda text: status.update(Text(text))  # type: ignore[method-assign]
        yield listener


def show(console: Console, verdicts: Sequence[Verdict]) -> None:
    """The networks, each method's verdict with what is its own, and the notes."""
    first = verdicts[0].cell
    protocol = f"protocol {first.protocol.name}"
    print_line(console, f"{first.architecture}, {protocol}", "bold")
    groups = _groups(verdicts)
    shared = {
        key: value
        for key, value in next((each.facts for each in verdicts if each.accepted), verdicts[0].facts).items()
        if all(each.facts.get(key, value) == value for each in verdicts) and key not in ("engine", "engine_reason")
    }
    _print_facts(console, shared)
    for names, verdict in groups:
        console.print()
        word, style = ("accepted", "green") if verdict.accepted else ("refused", "red")
        console.print(Text(f"{', '.join(names)}: ", "bold").append(word, style))
        if verdict.forecast is None:
            console.print(Padding(Text(_without_subject(verdict)), (0, 0, 0, 2)))
            continue
        mine = {key: value for key, value in verdict.facts.items() if key not in shared}
        _print_facts(console, {"a run takes": f"about {duration(verdict.forecast.seconds)}", **mine})
    console.print()
    for note, names in _notes(verdicts).items():
        of = "" if len(names) == len(verdicts) else f" ({', '.join(names)})"
        console.print(Text(f"Note{of}: {note}", "yellow"))
    count = sum(verdict.accepted for verdict in verdicts)
    print_line(console, f"{count} of {len(verdicts)} accepted; nothing was trained", "bold")


def _name(verdict: Verdict, verdicts: Sequence[Verdict]) -> str:
    several = len({str(each.cell.dataset) for each in verdicts}) > 1
    return f"{verdict.cell.method} on {verdict.cell.dataset}" if several else verdict.cell.method


def _groups(verdicts: Sequence[Verdict]) -> list[tuple[list[str], Verdict]]:
    """One for each verdict; those that are refused for one reason stand together."""
    found: dict[str, tuple[list[str], Verdict]] = {}
    for number, verdict in enumerate(verdicts):
        key = str(number) if verdict.accepted else _without_subject(verdict)
        found.setdefault(key, ([], verdict))[0].append(_name(verdict, verdicts))
    return list(found.values())


def _without_subject(verdict: Verdict) -> str:
    return verdict.refusal.removeprefix(f"{verdict.cell.method} on {verdict.cell.dataset} ")


def _notes(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """Each note, and whom it concerns; why gradients are taken the slow way is among the facts."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        reason = verdict.facts.get("engine_reason")
        for note in verdict.notes:
            if not (reason and str(reason) in note):
                found.setdefault(note, []).append(_name(verdict, verdicts))
    return found


def _print_facts(console: Console, facts: dict[str, Any]) -> None:
    """A line a fact, long ones on several beside their names; nothing of what is not known."""
    table = Table.grid(padding=(0, 2))
    for key, value in facts.items():
        if value is not None and (key, value) not in USUAL and key not in ELSEWHERE:
            table.add_row(key.replace("_", " "), Text(_said(key, value)))
    if table.row_count:
        console.print(Padding(table, (0, 0, 0, 2)))


def _said(key: str, value: Any) -> str:
    if key == "shape":
        return "×".join(map(str, value))
    if (key, value) == ("engine", "plain"):
        return "plain: no gradient norms are needed"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return f"{value:,}" if type(value) is int else f"{value:.6g}" if type(value) is float else str(value)
