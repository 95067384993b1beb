"""What each method promises, and what was measured of it: gradients, secants, jumps, and a verdict in words."""

import math
from collections.abc import Sequence

import pandas as pd

from lipbench.disk.store import Status
from lipbench.reports.statistics.intervals import UNKNOWN, t_interval

DISTANCES = ["1", "0.1", "0.01", "0.001"]
SECANTS = [f"secant_{distance}" for distance in DISTANCES]
# Of the largest secant from a distance of .01 to .001: tenfold across a jump, onefold within a linear piece.
LEVEL, JUMP = 1.5, 3.0
ROUNDING = 1e-3  # smaller secants at a distance of .001 may be nothing else
LIMIT = 2.0  # times the target, the Lipschitz constant at which a method aims
MARGIN = 0.1  # of the limit: so near to it, another search may end on its other side
TARGET = 1.0  # of a method that declares none

STEEP, JUMPING, NEITHER, UNDECIDED = (
    "steeper than {:g}",
    "jumps, no gradient above {:g} found",
    "no jump and no slope above {:g} found",
    "not decided",
)
RULES = (
    f"Verdict, from the score of each run. Steeper than {LIMIT:g}: a gradient is, or a secant, unless across a jump; "
    f"the largest of any run stands beside it. Jumps: beyond every gradient, the largest secant grows more than "
    f"{JUMP:g}-fold from a distance of .01 to .001, as it does across a jump and does not within a linear piece. Not "
    f"decided: it grows {LEVEL:g}- to {JUMP:g}-fold, or the largest slope is within {100 * MARGIN:g} % of "
    f"{LIMIT:g}. Where a method aims at another Lipschitz constant than {TARGET:g}, {LIMIT:g} times that one takes the "
    f"place of {LIMIT:g}. A search finds lower bounds: what was not found may be there. TV gap: the part of the "
    f"score's variation between real and fake points that no gradient explains."
)


def verdict(gradient: float, secants: Sequence[float], target: float = TARGET) -> str:
    """One run's verdict.

    Args:
        gradient: the largest gradient norm.
        secants: the largest secant at each of `DISTANCES`.
        target: the Lipschitz constant at which the method aims.
    """
    limit, growth, slope = LIMIT * target, _growth(gradient, secants), steepest(gradient, secants)
    if slope > limit * (1 + MARGIN):
        return ("jumps, and " if growth > JUMP else "") + STEEP.format(limit)
    if LEVEL < growth <= JUMP or slope > limit * (1 - MARGIN):
        return UNDECIDED
    return (JUMPING if growth > JUMP else NEITHER).format(limit)


def steepest(gradient: float, secants: Sequence[float]) -> float:
    """The largest slope that was found, secants across a jump aside; arguments as of `verdict`."""
    return gradient if _growth(gradient, secants) > JUMP else max(gradient, *secants)


def _growth(gradient: float, secants: Sequence[float]) -> float:
    """How many times as large the secant is at the smallest distance as before it; 1 where gradients explain it."""
    longer, shorter = secants[-2:]
    if shorter <= max(ROUNDING, gradient):
        return 1.0
    return shorter / longer if longer > 0 else math.inf


def table(runs: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method of one comparison, for people; None where no run was examined."""
    examined = runs[(runs["status"] == Status.DONE) & runs[[*SECANTS, "grad_norm_max"]].notna().all(axis=1)]
    if examined.empty:
        return None
    rows = []
    for method, group in examined.groupby("method"):
        targets = group["lipschitz_target"].fillna(TARGET).astype(float)
        rows.append(
            {
                "method": str(method),
                "promise": _promise(group["guarantee"].iloc[0], targets.iloc[0]),
                "verdict": _verdicts(group.assign(lipschitz_target=targets)),
                "n": str(len(group)),
                "diverged": str(int((runs["status"][runs["method"] == method] == Status.DIVERGED).sum())),
                "‖∇score‖ max": _number(group["grad_norm_max"].max()),
                **{f"secant at {at}": _number(group[f"secant_{at}"].max()) for at in DISTANCES},
                "TV gap": str(t_interval(group["tv_gap"])),
                "‖∇critic‖ max": _number(group["raw_grad_norm_max"].max()),
                "critic's secant max": _number(group["raw_secant_max"].max()),
            }
        )
    return pd.DataFrame(rows)


def _verdicts(runs: pd.DataFrame) -> str:
    """The verdict on each run of a method: one where all agree, else each with its count, the most frequent first."""
    slopes: dict[str, list[float]] = {}
    for run in runs.to_dict("records"):
        secants = [run[name] for name in SECANTS]
        word = verdict(run["grad_norm_max"], secants, run["lipschitz_target"])
        slopes.setdefault(word, []).append(steepest(run["grad_norm_max"], secants))
    told = []
    for word, found in sorted(slopes.items(), key=lambda item: -len(item[1])):
        largest = f", up to {_number(max(found))}" if "steeper" in word else ""
        count = f" ({len(found)} of {len(runs)})" if len(slopes) > 1 else ""
        told.append(f"{word}{largest}{count}")
    return "; ".join(told)


def _promise(guarantee: object, target: float) -> str:
    promised = str(guarantee) if isinstance(guarantee, str) else UNKNOWN
    return promised if target == TARGET else f"{promised}, aims at {target:g}"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
