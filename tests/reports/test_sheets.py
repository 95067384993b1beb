"""CSV files hold no formulas, and give every text back."""

import csv
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports import sheets
from lipbench.reports.reading import frame


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1+cmd", "-2+3+cmd|' /C calc'!A0", "\t=1", "\n=1", "'=1"])
def test_a_text_that_a_spreadsheet_executes_begins_with_an_apostrophe(text: str) -> None:
    ((cell,),) = list(csv.reader(StringIO(sheets.to_csv(pd.DataFrame({"a": [text]})), newline="")))[1:]
    assert cell == f"'{text}"
    assert sheets.original(cell) == text


@pytest.mark.parametrize("text", ["gn", "gp[weight=1.0]", "-1.5", "-1.5 ± 0.2", "-0.5 [-0.7, -0.3]", "", "it's", "'a"])
def test_other_texts_and_numbers_stay_as_they_are(text: str) -> None:
    assert sheets.neutral(text) == text
    assert sheets.original(text) == text


def test_a_carriage_return_begins_no_row() -> None:
    assert sheets.to_csv(pd.DataFrame({"a": ["x\r=1"], "b": ["\r=1"]})) == 'a,b\n"x\n=1","\'\n=1"\n'


def test_negative_numbers_stay_numbers() -> None:
    table = pd.DataFrame({"a": [-1.5, 2.0], "b": pd.array([-3, None], "Int64"), "=c": ["x", None]})
    assert sheets.to_csv(table) == "a,b,'=c\n-1.5,-3,x\n2.0,,\n"


@given(st.text())
def test_every_text_is_read_back(text: str) -> None:
    assert sheets.original(sheets.neutral(text)) == text


def test_a_table_with_such_texts_is_added_as_it_was(tmp_path: Path) -> None:
    text = sheets.to_csv(pd.DataFrame([{"method": "=1+1", "dataset": "@d", "seed": 0, "protocol": "-p", "cos": -0.5}]))
    (tmp_path / "runs.csv").write_text(text)
    (run,) = frame.read(tmp_path / "none", [tmp_path / "runs.csv"]).runs.to_dict("records")
    assert (run["method"], run["dataset"], run["protocol"], run["cos"]) == ("=1+1", "@d", "-p", -0.5)
