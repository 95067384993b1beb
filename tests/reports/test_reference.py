"""The page of documentation on the columns."""

from pathlib import Path

from lipbench.reports.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_page_of_the_columns_is_what_their_declarations_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run `python -m lipbench.reports.reference > docs/columns.md`"
    )


def test_installed_measures_stand_below_the_columns_of_every_run() -> None:
    fixed, own = reference().split("## Measures")
    assert "| `fid` |" in fixed
    assert "| `recall` |" in own
    assert own.count("| higher |") == 4
