"""What each method promises, and what was measured of it: gradients, secants, jumps, and a verdict in words."""

from collections import Counter

import pandas as pd

from lipbench.reports.statistics.intervals import UNKNOWN, t_interval
from lipbench.store import Status

DISTANCES = ["1", "0.1", "0.01", "0.001"]
SECANTS = [f"secant_{distance}" for distance in DISTANCES]
GROWTH = 2.0  # of the largest secant from a distance of .01 to .001, from which on it shows a jump
ROUNDING = 1e-3  # smaller secants at a distance of .001 may be nothing else
LIMIT = 2.0  # the largest slope that passes for bounded, where methods aim at 1

CONTINUOUS, DISCONTINUOUS, UNBOUNDED = (
    "continuous and bounded",
    "bounded gradient but discontinuous",
    "unbounded",
)
RULES = (
    f"Verdict, from the score of each run: unbounded, if a gradient exceeds {LIMIT:g} (methods aim at 1), or a secant "
    f"does without a jump; discontinuous, if the largest secant more than doubles from a distance of .01 to .001, as "
    f"it must across a jump and does not within a linear piece; else continuous and bounded. What was not found may be "
    f"there: the numbers are the largest that a search found. TV gap: the part of the score's variation between real "
    f"and fake points that no gradient explains."
)


def verdict(gradient: float, secants: list[float]) -> str:
    """One run's verdict.

    Args:
        gradient: the largest gradient norm.
        secants: the largest secant at each of `DISTANCES`.
    """
    jumps = secants[-1] > max(GROWTH * secants[-2], ROUNDING)
    if gradient > LIMIT or (max(secants) > LIMIT and not jumps):
        return UNBOUNDED
    return DISCONTINUOUS if jumps else CONTINUOUS


def table(runs: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method, for people; None where no run was examined.

    Args:
        runs: rows of one comparison.
    """
    examined = runs[(runs["status"] == Status.DONE) & runs[[*SECANTS, "grad_norm_max"]].notna().all(axis=1)]
    if examined.empty:
        return None
    rows = []
    for method, group in examined.groupby("method"):
        verdicts = [verdict(run["grad_norm_max"], [run[name] for name in SECANTS]) for run in group.to_dict("records")]
        rows.append(
            {
                "method": str(method),
                "promise": _text(group["guarantee"].iloc[0]),
                "verdict": _together(verdicts),
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


def _together(verdicts: list[str]) -> str:
    """One verdict where all runs agree, else each with its count."""
    counts = Counter(verdicts).most_common()
    if len(counts) == 1:
        return verdicts[0]
    return "; ".join(f"{word} ({count} of {len(verdicts)})" for word, count in counts)


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) else UNKNOWN
