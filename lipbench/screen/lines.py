"""Lines and blocks of text on a console."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lipbench import terminal


def print_line(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it is, and as one line: no markup, no breaking of paths."""
    print_text(console, terminal.one_line(text), style)


def print_text(console: Console, text: str, style: str | None = None) -> None:
    """Print text of several lines as it is."""
    console.print(Text(terminal.visible(text), style=style or ""), soft_wrap=True)


def print_block(console: Console, title: str, values: dict[str, object]) -> None:
    """A title, and a line a value; nothing where there are none."""
    if not values:
        return
    console.print()
    print_line(console, title, "bold")
    width = max(map(len, values))
    for key, value in values.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        print_line(console, f"  {key:<{width}}  {text}")


def open_table(*heads: str) -> Table:
    """A table without lines, in which no text is cut short: it goes on in the next line."""
    return Table(*(Column(head, overflow="fold") for head in heads), box=None, pad_edge=False)
