"""Two methods on the seeds that they share: a seed gave both the same pictures and random numbers."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import special

from lipbench.reports.statistics.intervals import Interval, t_interval
from lipbench.reports.statistics.significance import seeds_needed, signed_rank

T_TEST = "paired t-test"
SIGN_TEST = "exact sign test, as all differences are equal"
RANK_TEST = "exact signed-rank test, as runs diverged; mean and interval of finished pairs only ({} of {})"
NO_TEST = "no test of fewer than two pairs"

ROUNDING = 1e-12  # of the values: differences that differ by less are equal


@dataclass(frozen=True)
class Pairs:
    """The outcomes of method and baseline, pair by pair: lower is better, infinite if diverged."""

    ours: Float[np.ndarray, " n"]
    theirs: Float[np.ndarray, " n"]

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
            return math.nan, 0.0, NO_TEST
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
    def _rounding(self) -> float:
        return ROUNDING * float(np.abs([self.ours, self.theirs]).max())

    @property
    def _constant(self) -> bool:
        return float(np.ptp(self.differences)) <= self._rounding

    @property
    def _effect(self) -> float:
        """Mean of the differences, in their standard deviations."""
        return float(self.differences.mean() / self.differences.std(ddof=1))
