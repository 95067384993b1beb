"""Prints the reference of the columns: ``python -m lipbench.measures > docs/columns.md``."""

from lipbench.measures import COLUMNS

HEAD = """\
# The columns of `runs.csv`

A row is a run, and what was not measured is empty. A table for `lipbench report --add` may have any of these columns,
in any order; `lipbench report --help` says which it needs. Measures of plugins stand in columns of their own after
these; a run folder says in `environment.json` what they are. *Better* says which values are, where that can be said.

| column | what stands in it | unit | better |
|---|---|---|---|
"""


def reference() -> str:
    """The page of documentation on every column, as Markdown."""
    rows = [[f"`{each.name}`", each.definition.replace("|", r"\|"), each.unit, each.better] for each in COLUMNS]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    print(reference(), end="")
