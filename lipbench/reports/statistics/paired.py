"""What the seeds say of every method beside a baseline: paired by seed, corrected for their number, and no more."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import special

from lipbench.errors import UnknownNameError
from lipbench.reports.statistics.intervals import t_interval
from lipbench.reports.statistics.significance import FEWEST, holm, seeds_needed, signed_rank
from lipbench.store import Status

BETTER, WORSE = "better", "worse"
T_TEST = "paired t-test"
SIGN_TEST = "exact sign test, as all differences are equal"
RANK_TEST = "exact signed-rank test, as runs diverged; mean and interval of finished pairs only ({} of {})"
NO_TEST = "no test of fewer than two pairs"

ROUNDING = 1e-12  # of the values: differences that differ by less are equal


@dataclass(frozen=True)
class Paired:
    """One method beside the baseline, over the seeds on which both have an outcome.

    Attributes:
        method: the method.
        baseline: what it is compared with.
        n: pairs, those with a diverged run among them.
        difference: mean of method − baseline over the pairs that finished, NaN without any.
        low: lower end of its 95 % t-interval, NaN with fewer than two finished pairs.
        high: upper end.
        p: of the two-sided test, NaN with fewer than two pairs.
        p_holm: the same after Holm's correction for all methods compared.
        verdict: ``better``, ``worse`` or ``cannot tell with n seeds``.
        needed: about how many seeds would tell with 80 % power, if mean and spread of the differences stayed and no
            run diverged; None where it is told, unknown or above 1000.
        diverged: runs of the method that diverged, of those in the pairs.
        baseline_diverged: the same of the baseline.
        rule: the test, in words.
    """

    method: str
    baseline: str
    n: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str
    needed: int | None
    diverged: int
    baseline_diverged: int
    rule: str

    @property
    def sentence(self) -> str:
        """The verdict, and how many seeds it lacks where that is known."""
        if self.needed is None:
            return self.verdict
        condition = " if none diverged" if self.diverged or self.baseline_diverged else ""
        return f"{self.verdict} (about {self.needed} would be needed{condition})"


@dataclass(frozen=True)
class _Pairs:
    """The outcomes of method and baseline on the seeds that they share: lower is better, infinite if diverged."""

    ours: Float[np.ndarray, " n"]
    theirs: Float[np.ndarray, " n"]

    @cached_property
    def differences(self) -> Float[np.ndarray, " n"]:
        """Negative where the method is better; two diverged runs are a tie."""
        differences = np.zeros(len(self.ours))
        np.subtract(self.ours, self.theirs, out=differences, where=self.ours != self.theirs)
        return differences

    @cached_property
    def finished(self) -> "_Pairs":
        """The pairs of which neither run diverged."""
        both = np.isfinite(self.ours) & np.isfinite(self.theirs)
        return _Pairs(self.ours[both], self.theirs[both])

    @property
    def rounding(self) -> float:
        """What the differences may be off by; the pairs have finished."""
        return ROUNDING * float(np.abs([self.ours, self.theirs]).max())

    @property
    def constant(self) -> bool:
        """Whether all differences are equal; the pairs have finished."""
        return float(np.ptp(self.differences)) <= self.rounding

    @property
    def effect(self) -> float:
        """Mean of the differences, in their standard deviations; the pairs have finished and are not constant."""
        return float(self.differences.mean() / self.differences.std(ddof=1))


def compare(
    runs: pd.DataFrame,
    baseline: str,
    measure: str = "fid",
    *,
    lower_is_better: bool = True,
    level: float = 0.05,
) -> list[Paired]:
    """Compare every other method with the baseline, by name.

    Pairs are the seeds on which both have finished or diverged. Where none diverged, the paired t-test decides. A
    diverged run is never dropped: it is worse than every finished one, two of one seed tie, and the exact signed-rank
    test decides. A method that diverged where the baseline finished is never better: with a number in its place that
    is bad enough, the t-test would not call it so either, and to diverge must not pay. At five seeds or fewer the
    signed-rank test cannot reach .05, so that no method can be told from another there once a run diverged.

    Args:
        runs: rows of one comparison.
        baseline: one of its methods.
        measure: the column that is compared.
        lower_is_better: of that measure.
        level: the greatest chance of any false verdict among all methods.

    Raises:
        RequestError: there is no such method.
    """
    sign = 1.0 if lower_is_better else -1.0
    outcomes = _outcomes(runs, measure, sign)
    if baseline not in outcomes:
        raise UnknownNameError("baseline", baseline, outcomes, "It must be one of the methods that are compared.")
    pairs = {name: _pair(outcomes[name], outcomes[baseline]) for name in sorted(outcomes.keys() - {baseline})}
    tests = [_test(each) for each in pairs.values()]
    corrected = holm([p for p, _, _ in tests])
    found = []
    for (method, each), (p, lead, rule), p_holm in zip(pairs.items(), tests, corrected, strict=True):
        n, finished = len(each.ours), each.finished
        told = n >= FEWEST and p_holm < level and not (lead < 0 and np.isposinf(each.differences).any())
        interval = t_interval(sign * finished.differences)
        found.append(
            Paired(
                method=method,
                baseline=baseline,
                n=n,
                difference=interval.mean,
                low=interval.low,
                high=interval.high,
                p=p,
                p_holm=p_holm,
                verdict=(BETTER if lead < 0 else WORSE) if told else f"cannot tell with {n} seed{'s' * (n != 1)}",
                needed=None if told else _needed(finished, level / len(pairs)),
                diverged=int(np.isinf(each.ours).sum()),
                baseline_diverged=int(np.isinf(each.theirs).sum()),
                rule=rule,
            )
        )
    return found


def _outcomes(runs: pd.DataFrame, measure: str, sign: float) -> dict[str, dict[int, float]]:
    """Of each method the outcome of each seed: lower is better, infinite if diverged, absent if unknown."""
    outcomes: dict[str, dict[int, float]] = {str(method): {} for method in runs["method"]}
    values = sign * runs[measure].to_numpy(dtype=float, na_value=np.nan)
    diverged = (runs["status"] == Status.DIVERGED).to_numpy(dtype=bool)
    known = diverged | ((runs["status"] == Status.DONE).to_numpy(dtype=bool) & np.isfinite(values))
    values[diverged] = np.inf
    for method, seed, value in zip(runs["method"][known], runs["seed"][known], values[known], strict=True):
        # A seed that was run twice counts once, by its worse outcome: the order of rows never matters.
        of_method = outcomes[str(method)]
        of_method[int(seed)] = max(float(value), of_method.get(int(seed), -math.inf))
    return outcomes


def _pair(ours: dict[int, float], theirs: dict[int, float]) -> _Pairs:
    """The seeds of which both outcomes are known."""
    seeds = sorted(ours.keys() & theirs.keys())
    return _Pairs(np.array([ours[seed] for seed in seeds], float), np.array([theirs[seed] for seed in seeds], float))


def _test(pairs: _Pairs) -> tuple[float, float, str]:
    """The two-sided p; a number that is negative where the pairs speak for the method; and the rule."""
    differences, finished = pairs.differences, len(pairs.finished.ours)
    n = len(differences)
    if n < 2:
        return math.nan, 0.0, NO_TEST
    if finished < n:
        return *signed_rank(differences), RANK_TEST.format(finished, n)
    if pairs.constant:
        # A t-test would find p = 0 at any number of seeds. Where all ranks tie, the signed-rank test is the sign test.
        return *signed_rank(np.where(np.abs(differences) > pairs.rounding, np.sign(differences), 0)), SIGN_TEST
    t = pairs.effect * math.sqrt(n)
    return 2 * float(special.stdtr(n - 1, -abs(t))), t, T_TEST


def _needed(finished: _Pairs, level: float) -> int | None:
    """How many seeds would tell, at the mean and spread of the differences so far."""
    if len(finished.ours) < 2 or finished.constant:
        return None
    return seeds_needed(finished.effect, level)
