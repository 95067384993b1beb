"""The whole report in two sentences, written from the numbers."""

from collections import Counter

import pandas as pd

from lipbench.reports.baseline import DECIDING
from lipbench.reports.section import Section
from lipbench.reports.statistics.compare import BETTER, WORSE
from lipbench.reports.statistics.intervals import UNKNOWN
from lipbench.store import Status


def in_words(runs: pd.DataFrame, sections: list[Section], baseline: str | None) -> str:
    """What was run, and what came of it.

    Args:
        runs: the table of runs.
        sections: every comparison.
        baseline: what the others were compared with, if anything.
    """
    return f"{_what(runs, sections)} {_baseline(sections, baseline) if baseline else _leaders(sections)}"


def _what(runs: pd.DataFrame, sections: list[Section]) -> str:
    done, diverged = (int((runs["status"] == status).sum()) for status in (Status.DONE, Status.DIVERGED))
    left = len(runs) - done - diverged
    counts = [f"{done} finished", *([f"{diverged} diverged"] * (diverged > 0)), *([f"{left} unfinished"] * (left > 0))]
    methods = runs["method"].nunique()
    return (
        f"{_number(len(runs), 'run')} of {_number(methods, 'method')} in {_number(len(sections), 'comparison')}: "
        f"{', '.join(counts)}."
    )


def _leaders(sections: list[Section]) -> str:
    """Who has the best mean, without claiming that the seeds carry it."""
    leading: dict[tuple[str, bool], list[dict[str, str]]] = {}
    for section in sections:
        for _, name, less in DECIDING:
            if name in section.shown and section.shown[name].iloc[0] != UNKNOWN:
                best = {str(key): str(value) for key, value in section.shown.iloc[0].items()}
                leading.setdefault((name, less), []).append(best)
                break  # by which the table is sorted
    found = []
    for (name, less), rows in leading.items():
        what = f"the {'lowest' if less else 'highest'} mean {name} is that of"
        if len(rows) == 1:
            (first,) = rows
            lost = f", {first['diverged']} diverged" if first["diverged"] != "0" else ""
            found.append(f"{what} {first['method']}, {first[name]} (n = {first['n']}{lost})")
        else:
            counts = Counter(row["method"] for row in rows).most_common()
            listed = ", ".join(f"{method} ({count})" for method, count in counts)
            found.append(f"in {len(rows)} comparisons {what} {listed}")
    if not found:
        return "Nothing has been measured to the end yet."
    told = "; ".join(found)
    return f"{told[0].upper()}{told[1:]}; whether methods differ is tested against a --baseline."


def _baseline(sections: list[Section], baseline: str) -> str:
    compared = [section.compared for section in sections if section.compared is not None]
    if not compared:
        return f"Nothing can be compared with {baseline} yet."
    verdicts: dict[str, list[str]] = {BETTER: [], WORSE: [], "not told apart": []}
    for table in compared:
        for row in table.to_dict("records"):
            verdicts.get(row["verdict"], verdicts["not told apart"]).append(row["method"])
    told = []
    for verdict, methods in verdicts.items():
        listed = [
            method if len(compared) == 1 else f"{method} ({count} of {len(compared)})"
            for method, count in Counter(methods).most_common()
        ]
        told.append(f"{verdict}: {', '.join(listed) or 'none'}")
    return f"Against {baseline}: {'; '.join(told)}."


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"
