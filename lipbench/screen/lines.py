"""Lines and blocks of text on a console."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text


def print_line(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it is: no markup, no breaking of paths."""
    console.print(Text(text, style=style or ""), soft_wrap=True)


def print_block(console: Console, title: str, values: dict[str, object]) -> None:
    """A title, and a line a value; nothing where there are none."""
    if not values:
        return
    print_line(console, f"\n{title}", "bold")
    width = max(map(len, values))
    for key, value in values.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        print_line(console, f"  {key:<{width}}  {text}")


def open_table(*heads: str) -> Table:
    """A table without lines, in which no text is cut short: it goes on in the next line."""
    return Table(*(Column(head, overflow="fold") for head in heads), box=None, pad_edge=False)
