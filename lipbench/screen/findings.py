"""What was found of a method, a line a check."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lipbench.screen.lines import print_line
from lipbench.tools.authors.finding import FAILED, NOT_APPLICABLE, PASSED, Examined

STYLES = {PASSED: "green", FAILED: "red", NOT_APPLICABLE: "dim"}


def show(console: Console, examined: Examined) -> None:
    """The method and the networks, each check with what was seen and the cure, and a count."""
    where = f"on {examined.architecture} with {examined.dataset}, protocol {examined.protocol}"
    print_line(console, f"{examined.method}, {where}", "bold")
    if examined.note:
        console.print(Text(f"Note: {examined.note}", "yellow"))
    table = Table.grid(padding=(0, 2))
    for finding in examined.findings:
        cure = f"\ncure: {finding.cure}" if finding.cure else ""
        outcome = Text(finding.outcome, STYLES[finding.outcome])
        table.add_row(Text(finding.check, "bold"), outcome, Text(finding.seen + cure))
    console.print()
    console.print(table)
    console.print()
    count = {outcome: sum(each.outcome == outcome for each in examined.findings) for outcome in STYLES}
    said = ", ".join(f"{number} {outcome}" for outcome, number in count.items() if number)
    print_line(console, f"{said}; {examined.seconds:.0f} s", "bold")
