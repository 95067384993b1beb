"""The figure of Dirac-GANs: where training takes θ and ψ, and the trajectories of all seeds."""

from math import ceil

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.dirac import tally
from lipbench.reports.drawing.looks import Look
from lipbench.reports.drawing.style import PAGE, Drawing, drawable, style
from lipbench.reports.reading.shown import Shown

ABREAST = 4
REACH, TICKS = 3.0, (-2, 0, 2)  # of every panel, as far as the arrows


def draw(runs: pd.DataFrame, traces: pd.DataFrame, shown: list[Shown], looks: dict[str, Look]) -> dict[str, Drawing]:
    """The figure, by its name; nothing where no run has a trajectory.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
        shown: what its runs kept, the field among it.
        looks: of the methods.
    """
    known = traces.dropna(subset=["theta", "psi"])
    if known.empty:
        return {}
    fields = {each.method: each for each in reversed(shown) if "field_from" in each.arrays}
    groups = [(str(method), trace) for method, trace in known.groupby("method")]
    rows, columns = ceil(len(groups) / ABREAST), min(len(groups), ABREAST)
    with style():
        figure = Figure(figsize=(PAGE * max(columns, 2) / ABREAST, 1.75 * rows + 0.2))
        places = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes in places[len(groups) :]:
            axes.set_axis_off()
        for axes, (method, trace) in zip(places, groups, strict=False):
            if method in fields:
                _arrows(axes, fields[method])
            for _, run in trace.groupby("run_id"):
                axes.plot(run["theta"], run["psi"], color=looks[method].colour, linewidth=0.8)
                axes.plot(run["theta"].iloc[0], run["psi"].iloc[0], "o", color="0.2", markersize=2.5)
                axes.plot(run["theta"].iloc[-1], run["psi"].iloc[-1], "x", color="0.2", markersize=4)
            axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xticks=TICKS, yticks=TICKS)
            axes.set_title(f"{drawable(method)}: {tally(runs[runs['method'] == method])}", fontsize=7)
            axes.tick_params(labelsize=6, pad=1)
            axes.set_xlabel("θ", fontsize=7, labelpad=0)
        for axes in places[::columns]:
            axes.set_ylabel("ψ", fontsize=7, labelpad=0)
    text = (
        "Dirac-GAN: the generator's point θ (the data are 0) and the slope ψ of the raw critic, a line a seed from its "
        "first evaluation (dot) to the last (cross), cut off where it leaves the panel; arrows show the direction of "
        "one step of training from there. Above each panel stands what the seeds do."
    )
    return {"dirac": Drawing(figure, text, known[["run_id", "method", "step", "theta", "psi"]])}


def _arrows(axes: Axes, shown: Shown) -> None:
    """The direction of a step, at places where it goes anywhere."""
    begun: Float[np.ndarray, "n 2"] = shown.arrays["field_from"]
    step = shown.arrays["field_to"] - begun
    length = np.hypot(*step.T)
    moves = np.isfinite(length) & (length > 0)
    if moves.any():
        directions = step[moves] / length[moves, None]
        axes.quiver(*begun[moves].T, *directions.T, color="0.72", angles="xy", scale=22, width=0.006, zorder=0)
