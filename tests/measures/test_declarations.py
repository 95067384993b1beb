"""The declarations of the columns."""

import csv
from pathlib import Path

import pytest

from lipbench.measures import COLUMNS, DECIDING, Column, View, in_view

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "results" / "reference").glob("*/runs*.csv")), ids=str)
def test_tables_of_earlier_versions_have_these_columns_in_this_order(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header == [column.name for column in COLUMNS if column.name in header]


def test_no_two_columns_share_a_name_or_a_title() -> None:
    for of in ([column.name for column in COLUMNS], [column.title for column in COLUMNS if column.title]):
        assert len(of) == len(set(of))


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_column_says_what_it_is_in_a_sentence_and_what_it_needs_where_it_is_shown(column: Column) -> None:
    assert column.definition.endswith(".") and "\n" not in column.definition
    assert column.title or not column.views & (View.SUMMARY | View.TERMINAL)
    assert column.traced or column.curve is None
    assert not column.title or column.kind == "number"


def test_the_terminal_shows_a_part_of_the_summary_in_its_order() -> None:
    summary, terminal = (in_view(COLUMNS, view) for view in (View.SUMMARY, View.TERMINAL))
    assert terminal == [column for column in summary if column in terminal]


def test_what_decides_names_columns_that_there_are() -> None:
    names = {column.name for column in COLUMNS}
    assert [column.name for column in DECIDING] == ["fid", "sample_w1", "cos"]
    for column in DECIDING:
        assert column.better and column.nothing and column.score
        assert set(column.anchors) <= names
