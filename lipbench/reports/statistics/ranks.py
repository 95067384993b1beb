"""Ranks of methods over data sets, and which of them differ: Friedman's test and Nemenyi's critical difference.

As Demšar 2006 (Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7) describes them.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

FEWEST = 5  # data sets, below which the tests can say nothing
LEVEL = 0.05


@dataclass(frozen=True)
class Ranking:
    """Mean ranks over data sets, 1 is best, and what they carry.

    Attributes:
        means: of each method.
        p: of Friedman's test.
        difference: of two mean ranks from which on Nemenyi's test tells them apart.
        groups: the methods, by place, that are not told apart; longest groups only, of at least two.
    """

    means: dict[str, float]
    p: float
    difference: float
    groups: list[list[str]]


def rank(losses: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "m k"]:
    """The ranks in each row, lowest first; equal values share the mean of theirs."""
    return np.asarray(stats.rankdata(losses, axis=-1))


def critical_difference(methods: int, datasets: int) -> float:
    """By how much two mean ranks must differ for Nemenyi's test to tell them apart."""
    q = float(stats.studentized_range.ppf(1 - LEVEL, methods, np.inf)) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * datasets)))


def ranking(methods: list[str], losses: Float[np.ndarray, "m k"]) -> Ranking | None:
    """Compare methods over data sets; None of fewer than five data sets or three methods.

    Nemenyi's test speaks only where Friedman's finds any difference; else nobody is told from anyone.

    Args:
        methods: their names.
        losses: a row a data set, a column a method: lower is better, ∞ is possible.
    """
    datasets, count = losses.shape
    if datasets < FEWEST or count < 3:
        return None
    means = dict(zip(methods, rank(losses).mean(axis=0).tolist(), strict=True))
    p = _friedman(losses)
    difference = critical_difference(count, datasets)
    order = sorted(means, key=lambda method: means[method])
    return Ranking(means, p, difference, _groups(order, means, difference) if p < LEVEL else [order])


def _friedman(losses: Float[np.ndarray, "m k"]) -> float:
    ranks = rank(losses)
    if (ranks == ranks.mean()).all():  # all tie everywhere, of which scipy's formula makes 0 / 0
        return 1.0
    return float(stats.friedmanchisquare(*ranks.T).pvalue)


def _groups(order: list[str], means: dict[str, float], difference: float) -> list[list[str]]:
    groups: list[list[str]] = []
    for first, method in enumerate(order):
        group = [other for other in order[first:] if means[other] - means[method] <= difference]
        if len(group) > 1 and not (groups and groups[-1][-1] == group[-1]):
            groups.append(group)
    return groups
