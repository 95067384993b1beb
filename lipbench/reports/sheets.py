"""CSV files that a spreadsheet opens without executing anything of them."""

import re

import pandas as pd

# What a spreadsheet takes for a formula. Marks before it are counted in, so that each text can be read back.
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?( (±|\[|/)[-\d.,e ±/\[\]]*)?")


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV; a text that would be a formula begins with an apostrophe, and a number never does."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    shown = table.assign(**{name: table[name].map(_shown).astype(object) for name in texts})
    return shown.rename(columns=_shown).to_csv(index=False)


def neutral(text: str) -> str:
    """The text as it stands in a cell."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def original(cell: str) -> str:
    """The text of a cell that `neutral` has made."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _shown(value: object) -> object:
    # A carriage return that is not quoted, as pandas leaves it, begins a row of its own.
    return neutral(value.replace("\r", "\n")) if isinstance(value, str) else value
