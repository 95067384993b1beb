"""What may stand in the columns of a table of runs, and columns that runs declare themselves."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from math import isfinite
from typing import Any

import pandas as pd

from lipbench.errors import PluginError
from lipbench.measures import COLUMNS, DECIDING, PLUGINS, Column, Curve, Deciding, View, is_taken
from lipbench.plugins import registry
from lipbench.plugins.kinds import MEASURE

BY_NAME = {column.name: column for column in COLUMNS}
NAMES = list(BY_NAME)
DTYPES = {"text": "string", "whole": "Int64", "number": "float64"}  # of pandas
LIPBENCH = "lipbench"  # the pairing of its own runs
SHOWN = 5  # of several complaints


def is_number(value: Any) -> bool:
    """Whether `value` is a finite number that a column can hold; True and False are none."""
    return (type(value) is float and isfinite(value)) or is_whole(value)


def is_whole(value: Any) -> bool:
    """Whether `value` is a whole number of at most 64 bits."""
    return type(value) is int and -(2**63) <= value < 2**63


# What a value of each kind is called, and how it is told.
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a text", lambda value: isinstance(value, str)),
    "whole": ("a whole number", is_whole),
    "number": ("a number", is_number),
}


def dtypes(columns: Iterable[Column]) -> dict[str, str]:
    """The type of each column, as pandas calls it."""
    return {column.name: DTYPES[column.kind] for column in columns}


def expected(column: Column, value: Any) -> str | None:
    """What was expected of a value; None where it is as expected."""
    words, holds = KINDS[column.kind]
    if not holds(value):
        return words
    low, high = column.low, column.high
    if (low is not None and value < low - column.slack) or (high is not None and value > high + column.slack):
        if low is None:
            return f"at most {high:g}"
        return f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
    return None


def several(complaints: list[str]) -> str:
    """Complaints in one line, the first few of many."""
    more = f"; and {len(complaints) - SHOWN} more" if len(complaints) > SHOWN else ""
    return f"{'; '.join(complaints[:SHOWN])}{more}"


def deciding(runs: pd.DataFrame) -> Deciding | None:
    """The measure that decides: the first of which anything is known in rows of the table of runs; None without one."""
    return next((column for column in DECIDING if runs[column.name].notna().any()), None)


def declared(name: str, record: Any) -> Column:
    """The column of a measure that a run was asked to take.

    Args:
        name: of the column.
        record: what the run says of it.

    Raises:
        ValueError: it is no such declaration.
    """
    if not name.strip() or not name.isprintable() or is_taken(name):
        raise ValueError(f"the name is {name!r}, expected one that nothing else has")
    if not isinstance(record, dict):
        raise ValueError(f"{record!r}, expected an object")
    told = {key: record.get(key, "") for key in ("title", "unit", "better", "definition")}
    wrong = [f"{key} is {value!r}, expected a text" for key, value in told.items() if not isinstance(value, str)]
    if told["better"] not in ("lower", "higher", ""):
        wrong.append(f"better is {told['better']!r}, expected lower, higher or nothing")
    ends = {key: end for key in ("low", "high") if (end := record.get(key)) is not None}
    wrong += [f"{key} is {end!r}, expected a number" for key, end in ends.items() if not is_number(end)]
    low, high = (float(ends[key]) if is_number(ends.get(key)) else None for key in ("low", "high"))
    if low is not None and high is not None and low > high:
        wrong.append(f"low is {low:g}, expected at most high, {high:g}")
    if wrong:
        raise ValueError(several(wrong))
    title = " ".join(told["title"].split()) or name
    return Column(
        name, told["definition"], title=f"{title} ({told['unit']})" if told["unit"] else title, unit=told["unit"],
        better=told["better"], low=low, high=high, traced=True, curve=Curve(least=2), views=View.SUMMARY | View.RUNS,
        place=PLUGINS,
    )  # fmt: skip


def installed() -> list[Column]:
    """The columns of installed measures by name, as their files say; what is no declaration is left out."""
    found: dict[str, Column] = {}
    for measure, (plugin, *_) in registry.installed(MEASURE).items():
        with suppress(PluginError, ValueError, AttributeError, TypeError):
            card = plugin.card
            own = card.constants.get("columns") or {measure: {"title": card.constants.get("title", "")}}
            for name, said in own.items():
                told = card.constants | {"title": ""} | said
                found.setdefault(name, declared(name, told | {"definition": told.get("definition") or card.summary}))
    return [found[name] for name in sorted(found)]
