"""Tables of runs that were made elsewhere, checked cell by cell before they stand beside runs of lipbench.

The columns are those of ``runs.csv``. ``method``, ``dataset``, ``seed`` and ``protocol`` must be there, and ``fid``,
``sample_w1`` or ``cos``. ``protocol`` is a text of one's own that names how was trained and measured: rows are
compared where it and every other column of `SHARED` are equal. Without ``comparison`` a digest of them is made; a
table that lipbench wrote has it, and joins the runs of the same protocol.

Seeds of other code mean nothing to lipbench. Rows are paired by seed where they have one ``pairing``: a text of one's
own that names what gives equal seeds the same pictures and random numbers. Runs of lipbench have it by themselves.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from lipbench.disk.files import read_bytes
from lipbench.disk.store import Status
from lipbench.errors import RequestError, StoreError
from lipbench.measures import DECIDING, Column
from lipbench.reports import sheets
from lipbench.reports.reading.columns import KINDS, LIPBENCH, expected, several
from lipbench.request.cell import comparison_id, run_id

NEEDED = ["method", "dataset", "seed", "protocol"]
MEASURED = [column.name for column in DECIDING]
SHARED = ["protocol", "architecture", "loss", "settings", "samples", "real_samples", "split", "extractor"]
ANCHORS = [name for column in DECIDING for name in column.anchors]
LARGEST = 1e15  # beyond which nobody measures, and squares are infinite
NO_PAIRING = {"false", "no", "none", "unpaired", "0", "-"}  # meant as an answer, and would pair rows that share it
CURE = "`lipbench report --help` names the columns"

Row = dict[str, Any]


def join(runs: pd.DataFrame, path: Path, columns: Sequence[Column]) -> tuple[pd.DataFrame, list[str]]:
    """Append the runs of a table.

    Args:
        runs: those known so far, `columns` and comparison_id.
        path: a CSV file.
        columns: that it may have.

    Returns:
        All runs; and what a reader should know of it, in sentences.

    Raises:
        RequestError: the file is not such a table.
    """
    header, lines = _open(path)
    heads = {column.name.lower(): column for column in columns}
    rows, errors = [], []
    for number, texts in lines:
        row, wrong = _row(header, texts, heads)
        rows.append(row | {"line": number})
        errors += [f"line {number}{error}" for error in wrong]
    _refuse(path, errors)
    _refuse(path, list(_grouped(rows)))
    if not rows:
        raise RequestError(f"{str(path)!r} has a header and no runs; expected a line a run")
    found = pd.DataFrame(rows, dtype=object).reindex(columns=[*(c.name for c in columns), "comparison_id", "line"])
    known = _known(runs, found)  # a report of the same runs
    found = found[~known]
    _refuse(path, [*_twice(runs, found), *_mixed(runs, found)])
    alone = int(found["pairing"].isna().sum())
    unpaired = f"; {alone} of them are compared without pairs, as they have no pairing" * (alone > 0)
    told = [f"{path}: {len(found)} runs are added{unpaired}" * (len(found) > 0)]
    ignored = [name for name in header if name and name not in heads]
    told += [f"{path}: unknown columns are left out: {', '.join(ignored)}"] * bool(ignored)
    told += [f"{path}: {int(known.sum())} runs are known already and left out"] * bool(known.any())
    return pd.concat([runs, found.drop(columns="line")], ignore_index=True), [text for text in told if text]


def _open(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header in lower case, and each line that is not empty with its number."""
    try:
        reader = csv.reader(StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True)
        lines = [(reader.line_num, [text.strip() for text in texts]) for texts in reader if any(map(str.strip, texts))]
    except StoreError as error:
        raise RequestError(f"{error}; expected a CSV file of runs") from None
    except (FileNotFoundError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not a CSV file in UTF-8: {error}"
        raise RequestError(f"{str(path)!r} cannot be added: {reason}; expected a CSV file of runs; {CURE}") from None
    header = [name.lower().replace(" ", "_") for name in lines[0][1]] if lines else []
    while header and not header[-1]:  # as spreadsheets write columns that once held something
        header.pop()
    missing = [name for name in NEEDED if name not in header]
    missing += [" or ".join(MEASURED)] * (not set(MEASURED) & set(header))
    if missing:
        have = ", ".join(header) or "none"
        commas = " Is it separated by commas?" if len(header) == 1 else ""
        raise RequestError(f"{str(path)!r} lacks the columns {', '.join(missing)}; it has: {have}.{commas} {CURE}")
    double = sorted({name for name in header if name and header.count(name) > 1})
    if double:
        raise RequestError(f"{str(path)!r} has the columns {', '.join(double)} more than once; expected each once")
    return header, lines[1:]


def _row(header: list[str], texts: list[str], heads: Mapping[str, Column]) -> tuple[Row, list[str]]:
    """One run, and all that is wrong with its line."""
    while len(texts) > len(header) and not texts[-1]:
        texts = texts[:-1]
    if len(texts) != len(header):
        return {}, [f" has {len(texts)} cells, expected {len(header)} as in the header"]
    cells = [(name, text) for name, text in zip(header, texts, strict=True) if text]
    stray = [text for name, text in cells if not name]
    if stray:
        return {}, [f" has {stray[0]!r} in a column without a name; name it, or leave it empty"]
    row: Row = {}
    wrong = []
    for head, text in cells:
        if head in heads:
            value, error = _value(heads[head], sheets.original(text))
            row[heads[head].name] = value
            wrong += [error] if error else []
    empty = [name for name in NEEDED if name not in row]
    if empty:
        wrong.append(f"{', '.join(empty)} is empty; every run needs {', '.join(NEEDED)}")
    row.setdefault("status", str(Status.DONE))
    if row["status"] not in list(Status):
        wrong.append(f"status is {row['status']!r}, expected one of: {', '.join(Status)}")
    if row["status"] == Status.DONE and not set(MEASURED) & row.keys():
        wrong.append(f"{' and '.join(MEASURED)} are empty; a run without either has status diverged")
    if row.get("pairing", "").lower() in NO_PAIRING:
        wrong.append(
            f"pairing is {row['pairing']!r}, expected a name that runs share which are paired by seed, or nothing "
            f"where they are not"
        )
    if not wrong:  # only then is it known whose run it is
        if row.get("pairing") == LIPBENCH and not _of_lipbench(row):
            wrong.append(f"pairing is {LIPBENCH!r}, but the run_id is none of lipbench; expected another name")
        if "pairing" not in header and _of_lipbench(row):  # a table of a version without the column
            row["pairing"] = LIPBENCH
    return row, [f": {error}" for error in wrong]


def _of_lipbench(row: Row) -> bool:
    """Whether the run's id and its comparison are as lipbench makes them."""
    name, _, digest = row.get("run_id", "").rpartition("-")
    labels = {row["method"], row["method"].rpartition("@")[0]}  # versions of one's own file are told apart by a digest
    stems = {run_id(label, row["dataset"], row["seed"], "").removesuffix("-") for label in labels}
    return name in stems and bool(re.fullmatch("[0-9a-f]{10}", digest)) and "comparison" in row


def _grouped(rows: list[Row]) -> Iterator[str]:
    """Give each run its comparison and id; yields where that cannot be told.

    A run that is not finished was not measured: what it does not say is as in the one comparison that agrees with the
    rest of it.
    """
    done = {_shared(row) for row in rows if row["status"] == Status.DONE and "comparison" not in row}
    for row in rows:
        shared = _shared(row)
        if "comparison" not in row and row["status"] != Status.DONE and shared not in done:
            fitting = [
                other for other in done if all(own in ("", full) for own, full in zip(shared, other, strict=True))
            ]
            if len(fitting) > 1:
                empty = ", ".join(name for name, own in zip(SHARED, shared, strict=True) if not own)
                yield f"line {row['line']} may be of {len(fitting)} protocols of this table; fill in some of: {empty}"
            shared = fitting[0] if fitting else shared
        row.setdefault("comparison", _digest("\n".join(shared)))
        row["comparison_id"] = comparison_id(row["dataset"], "", row["comparison"])
        digest = _digest("\n".join([row["method"], row["comparison_id"]]))
        row.setdefault("run_id", run_id(row["method"], row["dataset"], row["seed"], digest))


def _shared(row: Row) -> tuple[str, ...]:
    """What rows that are compared have in common; settings as recommended have a loss each."""
    recommended = row.get("settings") == "recommended"
    return tuple("" if name == "loss" and recommended else str(row.get(name, "")) for name in SHARED)


def _known(runs: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Which runs are there already, with the same outcome."""
    names = ["run_id", "comparison_id", "method", "seed", "status"]
    there = {tuple(row[name] for name in names): row for row in runs.to_dict("records")}
    known = []
    for row in found.to_dict("records"):
        same = there.get(tuple(row[name] for name in names))
        known.append(same is not None and all(_equal(row[name], same[name]) for name in MEASURED))
    return pd.Series(known, index=found.index, dtype=bool)


def _equal(one: Any, other: Any) -> bool:
    return bool(pd.isna(one) and pd.isna(other)) or one == other


def _value(column: Column, text: str) -> tuple[Any, str | None]:
    """What a cell holds, and what is wrong with it."""
    name = column.name
    value: Any = text
    if not text.isprintable():
        return value, f"{name} is {text!r}, expected text on one line"
    if column.kind != "text":
        value = _number(text, column.kind)
    words = expected(column, value)
    if words is not None:
        given = repr(text) if words == KINDS[column.kind][0] else text
        return value, f"{name} is {given}, expected {words}, or nothing where it is not known"
    if column.kind == "number" and abs(value) > LARGEST:
        return value, f"{name} is {text}, expected at most {LARGEST:g} (the run diverged?)"
    return value, None


def _number(text: str, kind: str) -> float | int | None:
    """The number that a text is, whole where it is to be and can be; None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if kind == "whole" and value == value // 1 else value


def _twice(runs: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """What is there already under another id: nobody could say which of both counts."""
    key = ["comparison_id", "method", "seed"]
    seen = {tuple(row): "runs that are there" for row in runs[key].itertuples(index=False)}
    ids = dict.fromkeys(runs["run_id"], "runs that are there")
    for row in found.to_dict("records"):
        if row["run_id"] in ids:
            yield f"line {row['line']}: run_id {row['run_id']} is also in {ids[row['run_id']]}; leave run_id out"
        ids[row["run_id"]] = f"line {row['line']}"
        place = tuple(row[name] for name in key)
        if place in seen:
            yield (
                f"line {row['line']}: {row['method']} on {row['dataset']} with seed {row['seed']} is also in "
                f"{seen[place]}; give the method another name"
            )
        seen[place] = f"line {row['line']}"


def _mixed(runs: pd.DataFrame, found: pd.DataFrame) -> Iterator[str]:
    """What claims a protocol that it does not have."""
    for comparison, rows in found.groupby("comparison_id"):
        others = runs[runs["comparison_id"] == comparison]
        for name in [*SHARED, *ANCHORS]:
            if name == "loss" and "recommended" in set(rows["settings"]):
                continue
            values = {value: line for value, line in zip(rows[name], rows["line"], strict=True) if pd.notna(value)}
            values |= dict.fromkeys(others[name].dropna())
            if len(values) > 1:
                listed = ", ".join(f"{value} ({_place(line)})" for value, line in values.items())
                yield (
                    f"{name} differs within comparison {rows['comparison'].iloc[0]}: {listed}; runs of one comparison "
                    f"share it: give another comparison, or none"
                )


def _place(line: int | None) -> str:
    return "runs that are there" if line is None else f"line {line}"


def _refuse(path: Path, errors: list[str]) -> None:
    if errors:
        raise RequestError(f"{str(path)!r} cannot be added: {several(errors)}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
