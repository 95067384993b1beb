"""What the seeds say of every method beside a baseline: corrected for the number of methods, and no more."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lipbench.disk.store import Status
from lipbench.errors import UnknownNameError
from lipbench.reports.statistics.differences import Pairs, Samples
from lipbench.reports.statistics.significance import FEWEST, holm

BETTER, WORSE = "better", "worse"
LEVEL = 0.05  # the greatest chance of any false verdict among all methods


@dataclass(frozen=True)
class Compared:
    """One method beside the baseline.

    Attributes:
        method: the method.
        baseline: what it is compared with.
        paired: whether seed by seed, over the seeds on which both have an outcome.
        n: runs of the method that count, those that diverged among them; where it is paired, the pairs.
        baseline_n: the same of the baseline.
        difference: mean of method − baseline over what finished, NaN without any.
        low: lower end of its 95 % t-interval, NaN where fewer than two (pairs) finished.
        high: upper end.
        p: of the two-sided test, NaN with fewer than two.
        p_holm: the same after Holm's correction for all methods compared.
        verdict: ``better``, ``worse`` or ``cannot tell with n seeds``.
        needed: about how many seeds would tell with 80 % power, if means and spreads stayed and no run diverged; None
            where it is told, unknown or above 1000.
        diverged: runs of the method that diverged, of those that count.
        baseline_diverged: the same of the baseline.
        rule: the test, in words.
    """

    method: str
    baseline: str
    paired: bool
    n: int
    baseline_n: int
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
class _Outcomes:
    """Of one method the outcome of each seed, lower is better and infinite if diverged; and with what it is paired."""

    of_seed: dict[int, float]
    pairings: set[str | None]


def compare(runs: pd.DataFrame, baseline: str, measure: str = "fid", *, lower_is_better: bool = True) -> list[Compared]:
    """Compare every other method with the baseline, by name.

    Two methods are paired by seed where all their runs have one and the same `pairing`: then a seed stands for the same
    pictures and random numbers, and pairs are the seeds on which both have finished or diverged. Where none diverged,
    the t-test decides, paired or Welch's. A diverged run is never dropped: it is worse than every finished one, two
    tie, and an exact rank test decides. A method that diverged where the baseline finished is never better: with a
    number in its place that is bad enough, the t-test would not call it so either, and to diverge must not pay. At five
    pairs or fewer the signed-rank test cannot reach .05, so that no method can be told from another there once a run
    diverged.

    Args:
        runs: rows of one comparison.
        baseline: one of its methods.
        measure: the column that is compared.
        lower_is_better: of that measure.

    Raises:
        RequestError: there is no such method.
    """
    sign = 1.0 if lower_is_better else -1.0
    outcomes = _outcomes(runs, measure, sign)
    if baseline not in outcomes:
        raise UnknownNameError("baseline", baseline, outcomes, "It must be one of the methods that are compared.")
    beside = {name: _beside(outcomes[name], outcomes[baseline]) for name in sorted(outcomes.keys() - {baseline})}
    tests = [each.test() for each in beside.values()]
    corrected = holm([p for p, _, _ in tests])
    found = []
    for (method, each), (p, lead, rule), p_holm in zip(beside.items(), tests, corrected, strict=True):
        n = min(len(each.ours), len(each.theirs))
        told = n >= FEWEST and p_holm < LEVEL and not (lead < 0 and each.outdone)
        interval = each.interval
        low, high = sorted([sign * interval.low, sign * interval.high])
        found.append(
            Compared(
                method=method,
                baseline=baseline,
                paired=isinstance(each, Pairs),
                n=len(each.ours),
                baseline_n=len(each.theirs),
                difference=sign * interval.mean,
                low=low,
                high=high,
                p=p,
                p_holm=p_holm,
                verdict=(BETTER if lead < 0 else WORSE) if told else f"cannot tell with {n} seed{'s' * (n != 1)}",
                needed=None if told else each.needed(LEVEL / len(beside)),
                diverged=int(np.isinf(each.ours).sum()),
                baseline_diverged=int(np.isinf(each.theirs).sum()),
                rule=rule,
            )
        )
    return found


def _outcomes(runs: pd.DataFrame, measure: str, sign: float) -> dict[str, _Outcomes]:
    """Of each method what is known."""
    outcomes = {str(method): _Outcomes({}, set()) for method in runs["method"]}
    values = sign * runs[measure].to_numpy(dtype=float, na_value=np.nan)
    diverged = (runs["status"] == Status.DIVERGED).to_numpy(dtype=bool)
    known = diverged | ((runs["status"] == Status.DONE).to_numpy(dtype=bool) & np.isfinite(values))
    values[diverged] = np.inf
    rows = runs[known]
    for method, seed, pairing, value in zip(rows["method"], rows["seed"], rows["pairing"], values[known], strict=True):
        of_method = outcomes[str(method)]
        of_method.pairings.add(None if pd.isna(pairing) else str(pairing))
        # A seed that was run twice counts once, by its worse outcome: the order of rows never matters.
        of_method.of_seed[int(seed)] = max(float(value), of_method.of_seed.get(int(seed), -math.inf))
    return outcomes


def _beside(ours: _Outcomes, theirs: _Outcomes) -> Pairs | Samples:
    # A method without any outcome contradicts no pairing.
    pairings = ours.pairings | theirs.pairings
    paired = len(pairings) < 2 and None not in pairings
    return (Pairs if paired else Samples).of(ours.of_seed, theirs.of_seed)
