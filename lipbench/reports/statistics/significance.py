"""Tests of differences that scipy does not have as they are needed here, and how many seeds they would need."""

import math
from bisect import bisect_left

import numpy as np
from jaxtyping import Float
from scipy import special, stats

FEWEST = 3  # seeds, below which nothing is better or worse
MOST = 1000  # seeds, up to which it is searched how many are needed
POWER = 0.8


def signed_rank(differences: Float[np.ndarray, " n"]) -> tuple[float, float]:
    """Wilcoxon's signed-rank test, exact at any size and with any ties.

    Args:
        differences: infinite ones rank largest, and zeros are left out.

    Returns:
        The two-sided p, and the sum of the signed ranks.
    """
    unequal = differences[differences != 0]
    # Midranks are halves: twice a rank is whole.
    ranks = np.rint(2 * stats.rankdata(np.abs(unequal))).astype(int)
    total = int(ranks.sum())
    # The chance of each sum of positive ranks, where every sign is as likely as its opposite.
    chance = np.zeros(total + 1)
    chance[0] = 1
    for rank in ranks:
        chance[rank:] += chance[:-rank].copy()
        chance /= 2
    positive = int(ranks[unequal > 0].sum())
    p = min(1.0, 2 * float(chance[: min(positive, total - positive) + 1].sum()))
    return p, positive - total / 2


def rank_sum(ours: Float[np.ndarray, " n"], theirs: Float[np.ndarray, " m"]) -> tuple[float, float]:
    """The Mann–Whitney (rank-sum) test of two independent samples, exact at any size and with any ties.

    Args:
        ours: infinite values rank largest.
        theirs: the other sample.

    Returns:
        The two-sided p, and the sum of the ranks of `ours` less what is expected of it.
    """
    # Midranks are halves: twice a rank is whole.
    ranks = np.rint(2 * stats.rankdata(np.concatenate([ours, theirs]))).astype(int)
    n, total = len(ours), int(ranks.sum())
    # The chance that a number of ranks, drawn at random, has each sum: with every rank a draw more, or not.
    chance = np.zeros((n + 1, total + 1))
    chance[0, 0] = 1
    for count, rank in enumerate(ranks, start=1):
        for drawn in range(min(count, n), 0, -1):
            share = drawn / count
            chance[drawn] *= 1 - share
            chance[drawn, rank:] += share * chance[drawn - 1, :-rank]
    observed = int(ranks[:n].sum())
    tail = min(float(chance[n, : observed + 1].sum()), float(chance[n, observed:].sum()))
    return min(1.0, 2 * tail), (observed - n * total / len(ranks)) / 2


def holm(p: list[float]) -> list[float]:
    """Holm's correction of p-values; NaN stays NaN, and counts among those that are compared."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)  # NaN comes last
    steps = np.arange(len(values), 0, -1) * values[order]
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return [float(value) for value in corrected]


def seeds_needed(effect: float, level: float, freedom: float = 1.0) -> int | None:
    """The fewest seeds at which a t-test finds an effect with 80 % power; None if above 1000.

    Args:
        effect: mean of the differences, in their standard deviations.
        level: of the two-sided test.
        freedom: its degrees of freedom, in those of one sample: 1 where it is paired, else from 1 to 2.
    """
    sizes = range(FEWEST, MOST + 1)
    # The chance to miss it is NaN where it is too small to compute.
    place = bisect_left(sizes, True, key=lambda n: not _missed(n, effect, level, freedom) > 1 - POWER)
    return sizes[place] if place < len(sizes) else None


def _missed(n: int, effect: float, level: float, freedom: float) -> float:
    """The chance that a t-test of n seeds does not find an effect."""
    degrees = freedom * (n - 1)
    return float(special.nctdtr(degrees, abs(effect) * math.sqrt(n), special.stdtrit(degrees, 1 - level / 2)))
