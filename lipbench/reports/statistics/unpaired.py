"""Two methods whose runs have nothing in common but what is compared: equal seeds of other code mean nothing."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import special

from lipbench.reports.statistics.intervals import Interval
from lipbench.reports.statistics.paired import ROUNDING
from lipbench.reports.statistics.significance import rank_sum, seeds_needed

WELCH = "Welch's t-test, not paired"
RANK_SUM = "exact rank-sum test, not paired, as runs diverged; mean and interval of finished runs only ({} and {})"
CONSTANT = "exact rank-sum test, not paired, as all runs of a method are equal"
NO_TEST = "no test of fewer than two runs of each"


@dataclass(frozen=True)
class Samples:
    """The outcomes of method and baseline, each for itself: lower is better, infinite if diverged."""

    ours: Float[np.ndarray, " n"]
    theirs: Float[np.ndarray, " m"]

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
            return math.nan, 0.0, NO_TEST
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
    def _rounding(self) -> float:
        return ROUNDING * float(np.abs(np.concatenate([self.ours, self.theirs])).max())

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
