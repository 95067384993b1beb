"""One protocol over several data sets: its tables and figures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lipbench.reports import tables
from lipbench.reports.drawing import across as drawing
from lipbench.reports.facts import Facts
from lipbench.reports.pictures import Picture, Press, publish
from lipbench.reports.statistics import aggregate
from lipbench.reports.statistics.aggregate import Range
from lipbench.reports.statistics.intervals import UNKNOWN
from lipbench.reports.statistics.ranks import FEWEST, Ranking, rank, ranking
from lipbench.reports.suites import Suite
from lipbench.request.cell import file_name

RULES = (
    "IQM: the mean of the middle half of the scores of all seeds and data sets; P: the chance that a run beats one of "
    "the other method on the same data set, ties half (Agarwal et al. 2021, arXiv:2108.13264); each with the 95 % "
    "interval of a bootstrap within data sets, which covers 88 to 94 % at three to five seeds, speaks of other seeds "
    "on these data sets, and sees no doubt where all seeds agree. Rank: the mean over data sets, by the median over "
    "seeds. A diverged run is worse than any other in all of them."
)


@dataclass(frozen=True)
class Across:
    """One protocol over several data sets, on the page.

    Attributes:
        facts: what a reader must know of it.
        overview: a row a method, the best mean rank first, for people.
        improvement: how probably the method of a row beats that of a column.
        pictures: its figures.
    """

    facts: Facts
    overview: pd.DataFrame
    improvement: pd.DataFrame
    pictures: list[Picture]

    @property
    def markdown(self) -> list[str]:
        """Its tables as Markdown."""
        return [tables.markdown(table, self.facts) for table in (self.overview, self.improvement)]


def write(suite: Suite, out: Path, press: Press, baseline: str | None) -> Across:
    """Write the tables and figures of a suite into `out`.

    Args:
        suite: of one protocol.
        out: holds the folders ``tables`` and ``figures``.
        press: writes a figure and its data, sooner or later.
        baseline: the method with which all others are compared, if one was named.
    """
    ranks = ranking(list(suite.outcomes), suite.losses)
    known = Facts(
        title=f"Over {len(suite.datasets)} data sets: protocol {suite.name}",
        conditions=[f"by {suite.measure.title}", ", ".join(suite.datasets), f"protocol id {suite.comparison}"],
        warnings=[
            RULES,
            suite.measure.score if suite.scores else suite.no_scores,
            _told(ranks),
            _agreement(len(suite.outcomes), len(suite.datasets), tested=ranks is not None),
            *suite.left_out,
        ],
    )
    name = file_name(suite.comparison)
    overview, improvement = _overview(suite, baseline), _improvement(suite)
    tables.write(overview, overview, known, out / "tables" / f"over-datasets-{name}")
    tables.write(improvement, improvement, known, out / "tables" / f"improvement-{name}")
    pictures = publish(press, drawing.draw(suite, ranks), out / "figures", name)
    return Across(known, overview, improvement, pictures)


def _overview(suite: Suite, baseline: str | None) -> pd.DataFrame:
    means = rank(suite.losses).mean(axis=0)
    rows = []
    for place in np.argsort(means, kind="stable"):
        method = list(suite.outcomes)[place]
        outcomes = suite.outcomes[method]
        row = {
            "method": method,
            "data sets": str(len(outcomes)),
            "runs": str(sum(map(len, outcomes))),
            "diverged": str(int(sum(np.isinf(values).sum() for values in outcomes))),
            "mean rank": f"{means[place]:.2f}",
        }
        if suite.scores:
            row["IQM of scores"] = in_words(aggregate.iqm_range(suite.scores[method]))
        if baseline in suite.outcomes and baseline is not None:
            other = aggregate.improvement_range(outcomes, suite.outcomes[baseline])
            row[f"P(better than {baseline})"] = UNKNOWN if method == baseline else in_words(other)
        rows.append(row)
    return pd.DataFrame(rows)


def _improvement(suite: Suite) -> pd.DataFrame:
    rows = []
    for method, ours in suite.outcomes.items():
        chances = {
            f"better than {other}": UNKNOWN if other == method else f"{aggregate.improvement(ours, theirs):.2f}"
            for other, theirs in suite.outcomes.items()
        }
        rows.append({"method": method} | chances)
    return pd.DataFrame(rows)


def in_words(found: Range) -> str:
    """A number with its interval; −∞ is that of diverged runs."""
    if np.isnan(found.low):
        return _number(found.value)
    return f"{_number(found.value)} [{_number(found.low)}, {_number(found.high)}]"


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "diverged"


def _told(ranks: Ranking | None) -> str:
    if ranks is None:
        return f"No test of ranks: it needs at least {FEWEST} data sets and three methods."
    told = f"Friedman's test of equal ranks: p = {ranks.p:.2g}."
    if len(ranks.groups) == 1 and len(ranks.groups[0]) == len(ranks.means):
        return f"{told} No method is told from another."
    return f"{told} Mean ranks that differ by more than {ranks.difference:.2f} differ at .05 (Nemenyi's test)."


def _agreement(methods: int, datasets: int, *, tested: bool) -> str:
    """Why what is said of ranks, of P, and of single data sets may differ."""
    told = (
        "The analyses answer different questions and need not agree. P pools the pairs of runs of two methods alone, "
        "and its interval asks what other seeds on these data sets would give, without a correction for the number of "
        "methods."
    )
    if tested:
        told += (
            f" The test of ranks asks what other data sets would give, has one rank a method on each of {datasets}, "
            f"and corrects for all {methods * (methods - 1) // 2} pairs of methods: a method can beat another in "
            f"nearly every pair of runs and yet not be told from it."
        )
    return f"{told} A verdict against a baseline has the seeds of a single data set, and corrects for all methods."
