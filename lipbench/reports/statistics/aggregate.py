"""Many runs on many data sets in one number, by the definitions of Agarwal et al. 2021 (arXiv:2108.13264).

Runs of one method are a list of arrays: the scores of its seeds on each data set, higher is better, −∞ where a run
diverged. A diverged run so stays in every number, as the worst that there is.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

RESAMPLES = 2000
SEED = 0  # the same runs give the same intervals

Scores = Sequence[Float[np.ndarray, " _"]]


class Range(NamedTuple):
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def iqm(scores: Float[np.ndarray, "... n"]) -> Float[np.ndarray, " ..."]:
    """The interquartile mean along the last axis: that of the middle half.

    −∞ only counts where more than a quarter of all values are so.
    """
    ordered = np.sort(scores, axis=-1)
    n = ordered.shape[-1]
    cut = n // 4  # as scipy.stats.trim_mean(scores, .25) cuts, which cannot take infinities
    return np.asarray(ordered[..., cut : n - cut].mean(axis=-1))


def profile(scores: Float[np.ndarray, "... n"], at: Float[np.ndarray, " k"]) -> Float[np.ndarray, "... k"]:
    """The performance profile: which share of the scores exceeds each value of `at`."""
    return np.asarray((scores[..., None, :] > at[:, None]).mean(axis=-1))


def improvement(ours: Scores, theirs: Scores) -> float:
    """The chance that a run of ours beats a run of theirs on one data set, the mean over data sets.

    Ties count half, two diverged runs are one.
    """
    return float(np.mean([_beats(x, y) for x, y in zip(ours, theirs, strict=True)]))


def _beats(x: Float[np.ndarray, "... n"], y: Float[np.ndarray, "... m"]) -> Float[np.ndarray, " ..."]:
    larger = (x[..., :, None] > y[..., None, :]).mean(axis=(-2, -1))
    equal = (x[..., :, None] == y[..., None, :]).mean(axis=(-2, -1))
    return np.asarray(larger + equal / 2)


def iqm_range(scores: Scores) -> Range:
    """`iqm` of all scores together, with the interval of the stratified bootstrap."""
    value = float(iqm(np.concatenate(scores)))
    return _range(value, scores, lambda: iqm(np.concatenate(resampled(scores), axis=-1)))


def improvement_range(ours: Scores, theirs: Scores) -> Range:
    """`improvement` with the interval of the stratified bootstrap."""

    def draws() -> Float[np.ndarray, " r"]:
        pairs = zip(resampled(ours), resampled(theirs, SEED + 1), strict=True)
        return np.asarray(np.mean([_beats(x, y) for x, y in pairs], axis=0))

    return _range(improvement(ours, theirs), [*ours, *theirs], draws)


def resampled(scores: Scores, seed: int = SEED) -> list[Float[np.ndarray, "r _"]]:
    """Bootstrap draws of the seeds of each data set, apart from those of the others: one fewer than there are.

    With as many as there are, which is usual, draws of few seeds vary too little (Rao & Wu 1988,
    doi:10.1080/01621459.1988.10478591). Simulated, 95 % intervals of the IQM over 3 to 10 data sets cover 88–94 %
    at three seeds instead of 82–88 %, and 89–94 % at five instead of 88–91 %.
    """
    rng = np.random.default_rng(seed)
    return [values[rng.integers(0, len(values), (RESAMPLES, len(values) - 1))] for values in scores]


def _range(value: float, scores: Scores, draws: Callable[[], Float[np.ndarray, " r"]]) -> Range:
    """A value with the percentiles of its draws; NaN where a data set has a single run to draw from."""
    if min(map(len, scores)) < 2:
        return Range(value, np.nan, np.nan)
    low, high = np.quantile(draws(), [0.025, 0.975], method="nearest")  # nothing lies between −∞ and a number
    return Range(value, float(low), float(high))
