"""Tables of runs that were made elsewhere, checked cell by cell before they stand beside runs of lipbench.

The columns are those of ``runs.csv``. ``method``, ``dataset``, ``seed`` and ``protocol`` must be there, and ``fid`` or
``cos``. ``protocol`` is a text of one's own that names how was trained and measured: rows are compared where it and
every other column of `SHARED` are equal. Without ``comparison`` a digest of them is made; a table that lipbench wrote
has it, and joins the runs of the same protocol.

Seeds of other code mean nothing to lipbench. Rows are paired by seed where they have one ``pairing``: a text of one's
own that names what gives equal seeds the same pictures and random numbers. Runs of lipbench have it by themselves.
"""

import csv
import re
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from lipbench.disk.files import read_bytes
from lipbench.disk.store import Status
from lipbench.errors import RequestError, StoreError
from lipbench.reports import sheets
from lipbench.reports.reading.columns import CHECKS, COLUMNS, KINDS, LIPBENCH
from lipbench.request.cell import comparison_id, run_id

NEEDED = ["method", "dataset", "seed", "protocol"]
MEASURED = ["fid", "cos"]
SHARED = ["protocol", "architecture", "loss", "settings", "samples", "real_samples", "split", "extractor"]
# Rounding makes an FID of equal pictures a little less than nothing.
LEAST = {name: 0.0 for name in KINDS if name.startswith(("seconds", "peak", "grad", "secant")) or name in
         ("seed", "steps", "samples", "real_samples", "features")} | {"fid": -0.01, "fid_best": -0.01}  # fmt: skip
ROUNDING = 1e-6  # of a cosine
LARGEST = 1e15  # beyond which nobody measures, and squares are infinite
NO_PAIRING = {"false", "no", "none", "unpaired", "0", "-"}  # meant as an answer, and would pair rows that share it
SHOWN = 5  # of the errors of a table
CURE = "`lipbench report --help` names the columns"

Row = dict[str, Any]


def join(runs: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Append the runs of a table.

    Args:
        runs: those known so far, the columns of ``runs.csv`` and comparison_id.
        path: a CSV file.

    Returns:
        All runs; and what a reader should know of it, in sentences.

    Raises:
        RequestError: the file is not such a table.
    """
    header, lines = _open(path)
    rows, errors = [], []
    for number, texts in lines:
        try:
            rows.append(_row(header, texts, number) | {"line": number})
        except ValueError as error:
            errors.append(str(error))
    _refuse(path, errors)
    _refuse(path, list(_grouped(rows)))
    if not rows:
        raise RequestError(f"{str(path)!r} has a header and no runs; expected a line a run")
    found = pd.DataFrame(rows, dtype=object).reindex(columns=[*COLUMNS, "comparison_id", "line"])
    known = _known(runs, found)  # a report of the same runs
    found = found[~known]
    _refuse(path, [*_twice(runs, found), *_mixed(runs, found)])
    alone = int(found["pairing"].isna().sum())
    unpaired = f"; {alone} of them are compared without pairs, as they have no pairing" * (alone > 0)
    told = [f"{path}: {len(found)} runs are added{unpaired}" * (len(found) > 0)]
    ignored = [name for name in header if name and name not in COLUMNS]
    told += [f"{path}: unknown columns are left out: {', '.join(ignored)}"] * bool(ignored)
    told += [f"{path}: {int(known.sum())} runs are known already and left out"] * bool(known.any())
    return pd.concat([runs, found.drop(columns="line")], ignore_index=True), [text for text in told if text]


def _open(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header in lower case, and each line that is not empty with its number."""
    try:
        reader = csv.reader(StringIO(read_bytes(path).decode("utf-8-sig"), newline=""), strict=True)
        lines = [(reader.line_num, _cells(texts)) for texts in reader if any(map(str.strip, texts))]
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


def _cells(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts]


def _row(header: list[str], texts: list[str], line: int) -> Row:
    """One run.

    Raises:
        ValueError: a cell does not hold what it should.
    """
    while len(texts) > len(header) and not texts[-1]:
        texts = texts[:-1]
    if len(texts) != len(header):
        raise ValueError(f"line {line} has {len(texts)} cells, expected {len(header)} as in the header")
    stray = [text for name, text in zip(header, texts, strict=True) if text and not name]
    if stray:
        raise ValueError(f"line {line} has {stray[0]!r} in a column without a name; name it, or leave it empty")
    given = {name: text for name, text in zip(header, texts, strict=True) if text and name in KINDS}
    row: Row = {name: _value(name, sheets.original(text), line) for name, text in given.items()}
    empty = [name for name in NEEDED if name not in row]
    if empty:
        raise ValueError(f"line {line}: {', '.join(empty)} is empty; every run needs {', '.join(NEEDED)}")
    row.setdefault("status", str(Status.DONE))
    if row["status"] not in list(Status):
        raise ValueError(f"line {line}: status is {row['status']!r}, expected one of: {', '.join(Status)}")
    if row["status"] == Status.DONE and not set(MEASURED) & row.keys():
        raise ValueError(f"line {line}: {' and '.join(MEASURED)} are empty; a run without either has status diverged")
    if row.get("pairing") == LIPBENCH and not _of_lipbench(row):
        raise ValueError(
            f"line {line}: pairing is {LIPBENCH!r}, but the run_id is none of lipbench; expected another name"
        )
    if row.get("pairing", "").lower() in NO_PAIRING:
        raise ValueError(
            f"line {line}: pairing is {row['pairing']!r}, expected a name that runs share which are paired by seed, or "
            f"nothing where they are not"
        )
    if "pairing" not in header and _of_lipbench(row):  # a table of a version without the column
        row["pairing"] = LIPBENCH
    return row


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


def _value(name: str, text: str, line: int) -> Any:
    kind = KINDS[name]
    value: Any = text
    if not text.isprintable():
        raise ValueError(f"line {line}: {name} is {text!r}, expected text on one line")
    if kind != "string":
        try:
            value = float(text)
        except ValueError:
            value = None
        if kind == "Int64" and value is not None and value == value // 1:
            value = int(value)
    expected, holds = CHECKS[kind]
    if not holds(value):
        raise ValueError(f"line {line}: {name} is {text!r}, expected {expected}, or nothing where it is not known")
    if name in LEAST and value < LEAST[name]:
        raise ValueError(f"line {line}: {name} is {text}, expected at least 0, or nothing where it is not known")
    if name == "cos" and abs(value) > 1 + ROUNDING:
        raise ValueError(f"line {line}: {name} is {text}, expected from -1 to 1, or nothing where it is not known")
    if kind == "float64" and abs(value) > LARGEST:
        raise ValueError(f"line {line}: {name} is {text}, expected at most {LARGEST:g} (the run diverged?)")
    return value


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
        for name in [*SHARED, "fid_real", "fid_noise"]:
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
        more = f"; and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
        raise RequestError(f"{str(path)!r} cannot be added: {'; '.join(errors[:SHOWN])}{more}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
