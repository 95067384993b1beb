"""What each method promises, and what was measured of it: gradients, secants, jumps, and a verdict in words."""

import pandas as pd

from lipbench.disk.store import Status
from lipbench.measures._slopes import (
    DISTANCES,
    EXACT,
    JUMP,
    LEVEL,
    LIMIT,
    MARGIN,
    TARGET,
    at_least,
    at_most,
    steepest,
    verdict,
)
from lipbench.reports.statistics.intervals import UNKNOWN, t_interval

SECANTS = [f"secant_{distance}" for distance in DISTANCES]
RULES = (
    f"Verdict, from the score of each run. Proven: a bound that holds everywhere says that two scores differ by at "
    f"most {TARGET:g} times the distance of their points, but for {100 * EXACT:g} % that power iterations leave. "
    f"Steeper than {LIMIT:g}: a gradient is, or a secant, unless across a jump; the largest of any run stands beside "
    f"it. Jumps: beyond every gradient, the largest secant grows more than {JUMP:g}-fold from a distance of .01 to "
    f".001, as across a jump and not within a linear piece. Not decided: it grows {LEVEL:g}- to {JUMP:g}-fold, or the "
    f"largest slope is within {100 * MARGIN:g} % of {LIMIT:g}. Where a method aims at another Lipschitz constant than "
    f"{TARGET:g}, that and {LIMIT:g} times that one take the places of {TARGET:g} and {LIMIT:g}. A search finds lower "
    f"bounds: what was not found may be there. The Lipschitz constant lies between the largest secant or gradient and "
    f"the proven bound; their ratio is that of the run where it is largest. A score made with the critic's gradient "
    f"norm may jump, and has no bound (none); an operation that the proof does not know leaves the critic not proven "
    f"(column no_bound of runs.csv names it). TV gap: the part of the score's variation between real and fake points "
    f"that no gradient explains."
)


def table(runs: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method of one comparison, for people; None where no run was examined."""
    examined = runs[(runs["status"] == Status.DONE) & runs[[*SECANTS, "grad_norm_max"]].notna().all(axis=1)]
    if examined.empty:
        return None
    rows = []
    for method, group in examined.groupby("method"):
        found = group[["secant_max", "grad_norm_max"]].max(axis=1)
        targets = group["lipschitz_target"].fillna(TARGET).astype(float)
        rows.append(
            {
                "method": str(method),
                "promise": _promise(group["guarantee"].iloc[0], targets.iloc[0]),
                "verdict": _verdicts(group.assign(lipschitz_target=targets)),
                "‖∇score‖ max": _number(group["grad_norm_max"].max()),
                "largest secant": at_least(group["secant_max"].max()),
                "proven bound": _bound(group["lipschitz_bound"], group["no_bound"].dropna()),
                "ratio": _number((group["lipschitz_bound"] / found.where(found > 0)).max()),
                **{f"secant at {at}": _number(group[f"secant_{at}"].max()) for at in DISTANCES},
                "TV gap": str(t_interval(group["tv_gap"])),
                "‖∇critic‖ max": _number(group["raw_grad_norm_max"].max()),
                "critic's secant max": _number(group["raw_secant_max"].max()),
                "critic's proven bound": _bound(group["raw_lipschitz_bound"]),
                "n": str(len(group)),
                "diverged": str(int((runs["status"][runs["method"] == method] == Status.DIVERGED).sum())),
            }
        )
    return pd.DataFrame(rows)


def _verdicts(runs: pd.DataFrame) -> str:
    """The verdict on each run of a method: one where all agree, else each with its count, the most frequent first."""
    slopes: dict[str, list[float]] = {}
    for run in runs.to_dict("records"):
        secants = [run[name] for name in SECANTS]
        word = verdict(run["grad_norm_max"], secants, run["lipschitz_target"], run["lipschitz_bound"])
        slopes.setdefault(word, []).append(steepest(run["grad_norm_max"], secants))
    told = []
    for word, found in sorted(slopes.items(), key=lambda item: -len(item[1])):
        largest = f", up to {_number(max(found))}" if "steeper" in word else ""
        count = f" ({len(found)} of {len(runs)})" if len(slopes) > 1 else ""
        told.append(f"{word}{largest}{count}")
    return "; ".join(told)


def _bound(bounds: pd.Series, reasons: pd.Series | None = None) -> str:
    """The largest of all runs; whether there is none, or is none proven, where that is so of any."""
    if bounds.notna().all():
        return at_most(bounds.max())
    if reasons is None or reasons.empty:
        return UNKNOWN
    return "not proven" if reasons.str.startswith("not proven").all() else "none"


def _promise(guarantee: object, target: float) -> str:
    promised = str(guarantee) if isinstance(guarantee, str) else UNKNOWN
    return promised if target == TARGET else f"{promised}, aims at {target:g}"


def _number(value: float) -> str:
    if pd.isna(value):
        return UNKNOWN
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
