"""What may stand in a column, and columns that runs declare."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.measures import COLUMNS, Column
from lipbench.reports.reading.columns import declared, expected

BY_NAME = {column.name: column for column in COLUMNS}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("fid", -0.005, None),  # rounding of an FID of equal pictures
        ("fid", -0.02, "at least 0"),
        ("fid", True, "a number"),
        ("fid", math.inf, "a number"),
        ("cos", 1 + 1e-7, None),
        ("cos", -1.1, "from -1 to 1"),
        ("seed", -1, "at least 0"),
        ("seed", 2**63, "a whole number"),
        ("seed", 1.0, "a whole number"),
        ("kid", -0.001, None),
        ("method", 3, "a text"),
    ],
)
def test_a_value_is_held_against_the_kind_and_the_bounds_of_its_column(
    name: str, value: Any, words: str | None
) -> None:
    assert expected(BY_NAME[name], value) == words


ENDS = st.one_of(st.none(), st.floats(-10, 10))


@given(st.floats(-20, 20), ENDS, ENDS)
def test_a_number_is_refused_only_outside_its_bounds(value: float, low: float | None, high: float | None) -> None:
    words = expected(Column("x", "X.", low=low, high=high), value)
    assert (words is None) == ((low is None or value >= low) and (high is None or value <= high))


def test_a_declaration_becomes_a_column() -> None:
    record = {"title": "memory", "unit": "MiB", "better": "lower", "low": 0, "high": None, "definition": "Of all."}
    column = declared("own_memory", record)
    assert (column.name, column.title, column.better, column.low, column.high) == (
        "own_memory", "memory (MiB)", "lower", 0.0, None,
    )  # fmt: skip
    assert declared("precision", {}).title == "precision"


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("fid", {}, "the name is 'fid', expected one that nothing else has"),
        ("FID", {}, "the name is 'FID'"),
        ("step", {}, "the name is 'step'"),
        ("a\nb", {}, r"the name is 'a\nb'"),
        (" ", {}, "the name is ' '"),
        ("p", 3, "3, expected an object"),
        ("p", {"title": 3}, "title is 3, expected a text"),
        ("p", {"better": "more"}, "better is 'more', expected lower, higher or nothing"),
        ("p", {"low": "0"}, "low is '0', expected a number"),
        ("p", {"low": 1, "high": 0}, "low is 1, expected at most high, 0"),
        ("p", {"unit": 1, "high": True}, "unit is 1, expected a text; high is True, expected a number"),
    ],
)
def test_what_is_no_declaration_is_refused(name: str, record: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        declared(name, record)
