"""What an audit says of a critic."""

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from lipbench.reports import audit_words as words
from lipbench.screen.lines import open_table, print_line
from lipbench.screen.scores import show_note


def show(console: Console, record: dict[str, Any]) -> None:
    """The verdict, the tables and the notes."""
    print_line(console, words.title(record), "bold")
    for fact in words.facts(record):
        console.print(Padding(Text(fact), (0, 0, 0, 2)))
    for table in words.tables(record):
        console.print()
        print_line(console, table.title, "bold")
        shown = open_table()
        for place, head in enumerate(table.heads):
            shown.add_column(head, justify="left" if place in table.words else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*map(Text, row))
        console.print(Padding(shown, (0, 0, 0, 2)))
    console.print()
    for note in record["notes"]:
        show_note(console, note)
    console.print(Text(words.verdict(record), "bold"))
    print_line(console, f"{record['seconds']:.1f} s; nothing was trained", "dim")
