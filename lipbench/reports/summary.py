"""The whole report in two sentences, written from the numbers."""

from collections import Counter

import pandas as pd

from lipbench.disk.store import Status
from lipbench.reports.section import Section
from lipbench.reports.standing import Place, Standing, standing
from lipbench.reports.statistics.compare import BETTER, WORSE


def in_words(runs: pd.DataFrame, sections: list[Section], baseline: str | None) -> str:
    """What was run, and what came of it.

    Args:
        runs: the table of runs, with comparison_id.
        sections: every comparison.
        baseline: what the others were compared with, if anything.
    """
    found = [standing(group) for _, group in runs.groupby("comparison_id", sort=True)]
    standings = [each for each in found if each is not None]
    came = _baseline(sections, baseline) if baseline else _leaders(standings)
    return " ".join([_what(runs, sections), came, *_untrained(standings)])


def _untrained(standings: list[Standing]) -> list[str]:
    """Who has learnt nothing, in no sentence or one."""
    counts = Counter(method for each in standings for method in each.untrained).most_common()
    listed = [method if len(standings) == 1 else f"{method} ({count} of {len(standings)})" for method, count in counts]
    return [f"Untrained, no better than noise: {', '.join(listed)}."] if listed else []


def _what(runs: pd.DataFrame, sections: list[Section]) -> str:
    done, diverged = (int((runs["status"] == status).sum()) for status in (Status.DONE, Status.DIVERGED))
    left = len(runs) - done - diverged
    counts = [f"{done} finished", *([f"{diverged} diverged"] * (diverged > 0)), *([f"{left} unfinished"] * (left > 0))]
    methods = runs["method"].nunique()
    return (
        f"{_number(len(runs), 'run')} of {_number(methods, 'method')} in {_number(len(sections), 'comparison')}: "
        f"{', '.join(counts)}."
    )


def _leaders(standings: list[Standing]) -> str:
    """Who has the best mean, without claiming that the seeds carry it."""
    told = []
    for measure in dict.fromkeys(each.measure for each in standings):
        own = [each for each in standings if each.measure == measure]
        what = f"the {'lowest' if measure.less else 'highest'} mean {measure.title}"
        told.append(_leader(own[0], what) if len(own) == 1 else _several(own, what))
    if not told:
        return "Nothing has been measured to the end yet."
    found = "; ".join(told)
    return f"{found[0].upper()}{found[1:]}; whether methods differ is tested against a --baseline."


def _leader(one: Standing, what: str) -> str:
    if not one.leaders:
        return f"no mean {one.measure.title} is better than that of {one.measure.nothing}"
    told = f"{what} is that of {_listed(one.leaders)}"
    whole = one.whole_leaders
    if whole and not any(place.whole for place in one.leaders):
        told += f", and among methods without such runs that of {_listed(whole)}"
    return told


def _listed(places: list[Place]) -> str:
    """Places of one mean, with all that weakens it."""
    told = []
    for place in places:
        n = f"n = {place.interval.n}" if place.interval.n > 1 else "a single run"
        told.append(f"{place.method}, {place.interval} ({', '.join([n, *_lost(place)])})")
    return " and of ".join(told)


def _lost(place: Place) -> list[str]:
    counts = {"diverged": place.diverged, "unfinished": place.unfinished}
    return [f"{count} {how}" for how, count in counts.items() if count]


def _several(standings: list[Standing], what: str) -> str:
    leading: dict[str, list[Place]] = {}
    for each in standings:
        for place in each.leaders:
            leading.setdefault(place.method, []).append(place)
    told = []
    for method, places in sorted(leading.items(), key=lambda item: -len(item[1])):
        weak = {
            "by a single run": sum(place.interval.n == 1 for place in places),
            "with runs that diverged": sum(place.diverged > 0 for place in places),
            "with unfinished runs": sum(place.unfinished > 0 for place in places),
        }
        told.append(f"{method} ({', '.join([str(len(places)), *(f'{n} {how}' for how, n in weak.items() if n)])})")
    nobody = sum(not each.leaders for each in standings)
    found = [f"{what} is that of {', '.join(told)}"] if told else []
    worse = f"no mean {standings[0].measure.title} is better than that of {standings[0].measure.nothing} ({nobody})"
    found += [worse] if nobody else []
    return f"in {len(standings)} comparisons {'; '.join(found)}"


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
    return f"Against {baseline}{', on each data set alone' if len(compared) > 1 else ''}: {'; '.join(told)}."


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"
