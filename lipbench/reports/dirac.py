"""What Dirac-GANs do, method by method: counted over seeds, and how far from the data they end."""

import pandas as pd

from lipbench.disk.store import Status
from lipbench.measures._dynamics import CONVERGES, CYCLES, DIVERGES, GROWN, MOVED, REACHED, STUCK
from lipbench.reports.statistics.intervals import UNKNOWN, t_interval

WORDS = (CONVERGES, CYCLES, STUCK, DIVERGES)
RULES = (
    f"Read from the last quarter of each run's evaluations, in this order. Converges: the generator's point θ stays "
    f"within {100 * REACHED:g} % of its first distances from the data, which are 0. Stuck: θ and the slope ψ of the "
    f"critic stand still elsewhere, moving by at most {100 * MOVED:g} % of their distance from 0. Diverges: (θ, ψ) is "
    f"{GROWN:g} times as far from 0 as ever in the first half, or no longer finite. Cycles: anything else, as it keeps "
    f"moving and has not come near. Verdicts hold for these steps and this learning rate. Paper: Mescheder et al. "
    f"2018, arXiv:1801.04406."
)


def table(runs: pd.DataFrame) -> pd.DataFrame | None:
    """A row a method of one comparison, for people; None where no run is a Dirac-GAN."""
    if runs["dynamics"].isna().all():
        return None
    rows = []
    for method, group in runs.groupby("method"):
        done = group[group["status"] == Status.DONE]
        rows.append({
            "method": str(method),
            "verdict": tally(group),
            "|θ| at the end": str(t_interval(done["theta"].abs())),
            "|ψ| at the end": str(t_interval(done["psi"].abs())),
            "n": str(len(done)),
        })  # fmt: skip
    return pd.DataFrame(rows)


def tally(runs: pd.DataFrame) -> str:
    """What runs of one method do: one word where all agree, else each with its count."""
    words = runs["dynamics"].dropna()
    found = words.mask(runs.loc[words.index, "status"] == Status.DIVERGED, DIVERGES).astype(str)
    counts = {word: int((found == word).sum()) for word in WORDS if (found == word).any()}
    if not counts:
        return UNKNOWN
    return next(iter(counts)) if len(counts) == 1 else ", ".join(f"{word} {count}" for word, count in counts.items())
