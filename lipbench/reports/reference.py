"""Prints the reference of the columns: ``python -m lipbench.reports.reference > docs/columns.md``."""

from collections.abc import Iterable

from lipbench.measures import COLUMNS, Column
from lipbench.reports.reading.columns import installed

PAGE = """\
# The columns of `runs.csv`

A row is a run, and what was not measured is empty. A table for `lipbench report --add` may have any of these columns,
in any order; `lipbench report --help` says which it needs. *Better* says which values are, where that can be said.

{}
## Measures that are taken where they are asked for

They stand after the columns above, where any run has a value. Measures of a plugin of yours do, too: the run folder
says in `environment.json` what they are.

{}"""
HEAD = "| column | what stands in it | unit | better |\n|---|---|---|---|\n"


def reference() -> str:
    """The page of documentation on every column, as Markdown."""
    return PAGE.format(_table(COLUMNS), _table(installed()))


def _table(columns: Iterable[Column]) -> str:
    rows = [[f"`{each.name}`", each.definition.replace("|", r"\|"), each.unit, each.better] for each in columns]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    print(reference(), end="")
