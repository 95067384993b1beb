"""Two methods beside each other: seed by seed where a seed gave both the same pictures and random numbers, else not."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import special

from lipbench.reports.statistics.intervals import Interval, t_interval
from lipbench.reports.statistics.significance import rank_sum, seeds_needed, signed_rank

NO_PAIRS = "no test of fewer than two pairs"
T_TEST = "paired t-test"
SIGN_TEST = "exact sign test, as all differences are equal"
RANK_TEST = "exact signed-rank test, as runs diverged; mean and interval of finished pairs only ({} of {})"
NO_SAMPLES = "no test of fewer than two runs of each"
WELCH = "Welch's t-test, not paired"
RANK_SUM = "exact rank-sum test, not paired, as runs diverged; mean and interval of finished runs only ({} and {})"
CONSTANT = "exact rank-sum test, not paired, as all runs of a method are equal"

ROUNDING = 1e-12  # of the values: differences that differ by less are equal


@dataclass(frozen=True)
class _Sides:
    """Of method and baseline: lower is better, infinite if diverged."""

    ours: Float[np.ndarray, " n"]
    theirs: Float[np.ndarray, " m"]

    @property
    def _rounding(self) -> float:
        """Of runs that have finished."""
        return ROUNDING * float(np.abs(np.concatenate([self.ours, self.theirs])).max())


@dataclass(frozen=True)
class Pairs(_Sides):
    """Outcomes pair by pair, as many of the method as of the baseline."""

    @classmethod
    def of(cls, ours: dict[int, float], theirs: dict[int, float]) -> "Pairs":
        """Those of the seeds of which both outcomes are known."""
        seeds = sorted(ours.keys() & theirs.keys())
        return cls(np.array([ours[seed] for seed in seeds], float), np.array([theirs[seed] for seed in seeds], float))

    @cached_property
    def differences(self) -> Float[np.ndarray, " n"]:
        """Negative where the method is better; two diverged runs are a tie."""
        differences = np.zeros(len(self.ours))
        np.subtract(self.ours, self.theirs, out=differences, where=self.ours != self.theirs)
        return differences

    @cached_property
    def finished(self) -> "Pairs":
        """The pairs of which neither run diverged."""
        both = np.isfinite(self.ours) & np.isfinite(self.theirs)
        return Pairs(self.ours[both], self.theirs[both])

    @property
    def interval(self) -> Interval:
        """Mean of method − baseline over the finished pairs, and its 95 % t-interval."""
        return t_interval(self.finished.differences)

    @property
    def outdone(self) -> bool:
        """Whether the method diverged where the baseline finished."""
        return bool(np.isposinf(self.differences).any())

    def test(self) -> tuple[float, float, str]:
        """The two-sided p; a number that is negative where the pairs speak for the method; and the rule."""
        differences, finished = self.differences, len(self.finished.ours)
        n = len(differences)
        if n < 2:
            return math.nan, 0.0, NO_PAIRS
        if finished < n:
            return *signed_rank(differences), RANK_TEST.format(finished, n)
        if self._constant:
            # A t-test would find p = 0 at any number of seeds. Where all ranks tie, the signed-rank test is the sign
            # test.
            unequal = np.abs(differences) > self._rounding
            return *signed_rank(np.where(unequal, np.sign(differences), 0)), SIGN_TEST
        t = self._effect * math.sqrt(n)
        return 2 * float(special.stdtr(n - 1, -abs(t))), t, T_TEST

    def needed(self, level: float) -> int | None:
        """How many seeds would tell, at the mean and spread of the differences so far."""
        finished = self.finished
        if len(finished.ours) < 2 or finished._constant:
            return None
        return seeds_needed(finished._effect, level)

    # The following are of pairs that have finished.

    @property
    def _constant(self) -> bool:
        return float(np.ptp(self.differences)) <= self._rounding

    @property
    def _effect(self) -> float:
        """Mean of the differences, in their standard deviations."""
        return float(self.differences.mean() / self.differences.std(ddof=1))


@dataclass(frozen=True)
class Samples(_Sides):
    """Outcomes each for itself: equal seeds of other code mean nothing."""

    @classmethod
    def of(cls, ours: dict[int, float], theirs: dict[int, float]) -> "Samples":
        """Every known outcome, in the order of size: which seed had which does not matter."""
        return cls(np.array(sorted(ours.values()), float), np.array(sorted(theirs.values()), float))

    @cached_property
    def finished(self) -> "Samples":
        """Without runs that diverged."""
        return Samples(self.ours[np.isfinite(self.ours)], self.theirs[np.isfinite(self.theirs)])

    @property
    def interval(self) -> Interval:
        """The difference of the means of the finished runs, method − baseline, and Welch's 95 % interval."""
        finished = self.finished
        n = min(len(finished.ours), len(finished.theirs))
        difference = finished._difference if n else math.nan
        if n < 2:
            return Interval(n, difference, math.nan, math.nan)
        half = 0.0
        if not finished._constant:
            half = float(special.stdtrit(finished._freedom, 0.975)) * math.sqrt(sum(finished._errors))
        return Interval(n, difference, difference - half, difference + half)

    @property
    def outdone(self) -> bool:
        """Whether the method diverged, and the baseline not always."""
        return bool(np.isinf(self.ours).any() and np.isfinite(self.theirs).any())

    def test(self) -> tuple[float, float, str]:
        """The two-sided p; a number that is negative where the runs speak for the method; and the rule."""
        finished = self.finished
        counts = len(finished.ours), len(finished.theirs)
        if min(len(self.ours), len(self.theirs)) < 2:
            return math.nan, 0.0, NO_SAMPLES
        if counts != (len(self.ours), len(self.theirs)):
            return *rank_sum(self.ours, self.theirs), RANK_SUM.format(*counts)
        if self._constant:
            side = np.sign(self._difference) if abs(self._difference) > self._rounding else 0.0
            return *rank_sum(np.full(len(self.ours), side), np.zeros(len(self.theirs))), CONSTANT
        t = self._difference / math.sqrt(sum(self._errors))
        return 2 * float(special.stdtr(self._freedom, -abs(t))), t, WELCH

    def needed(self, level: float) -> int | None:
        """How many seeds of each would tell, at the means and spreads so far."""
        finished = self.finished
        if min(len(finished.ours), len(finished.theirs)) < 2 or finished._constant:
            return None
        one, other = (float(values.var(ddof=1)) for values in (finished.ours, finished.theirs))
        # Of samples of equal size, Welch's degrees of freedom are this many times those of one.
        freedom = (one + other) ** 2 / (one**2 + other**2)
        return seeds_needed(finished._difference / math.sqrt(one + other), level, freedom)

    # The following are of runs that have finished.

    @property
    def _difference(self) -> float:
        return float(self.ours.mean() - self.theirs.mean())

    @property
    def _constant(self) -> bool:
        return max(float(np.ptp(self.ours)), float(np.ptp(self.theirs))) <= self._rounding

    @property
    def _errors(self) -> tuple[float, float]:
        """The variances of both means."""
        return float(self.ours.var(ddof=1)) / len(self.ours), float(self.theirs.var(ddof=1)) / len(self.theirs)

    @property
    def _freedom(self) -> float:
        """Welch's degrees of freedom."""
        one, other = self._errors
        return (one + other) ** 2 / (one**2 / (len(self.ours) - 1) + other**2 / (len(self.theirs) - 1))
