"""The figure of quality against cost."""

import pandas as pd
from matplotlib.figure import Figure

from lipbench.measures import Column
from lipbench.reports.drawing.looks import Look
from lipbench.reports.drawing.style import COLUMN, PAGE, Drawing, legend, plain_log, sheet

AXES = {"seconds": "seconds of training", "memory": "peak memory, MiB"}


def frontier(costs: pd.DataFrame, measure: Column, looks: dict[str, Look]) -> Drawing:
    """A panel for seconds and one for memory where known, a point a method, and the line that nobody beats.

    Args:
        costs: a row a method, the best first; see `lipbench.reports.budget.costs`.
        measure: of quality.
        looks: of the methods.
    """
    shown = {axis: label for axis, label in AXES.items() if costs[axis].notna().any()}
    figure: Figure = sheet(PAGE if len(shown) > 1 else COLUMN, costs["method"])
    told = []
    for axes, (axis, label) in zip(figure.subplots(1, len(shown), squeeze=False).flat, shown.items(), strict=True):
        best = costs[costs[f"on_{axis}"]].sort_values(axis)
        axes.plot(best[axis], best["quality"], color="0.6", linewidth=1, drawstyle="steps-post", zorder=1)
        lines = {}
        for row in costs.to_dict("records"):
            look = looks[row["method"]]
            (lines[row["method"]],) = axes.plot(
                row[axis], row["quality"], color=look.colour, marker=look.marker, markersize=5, linestyle="none"
            )
        axes.set(xlabel=label, ylabel=f"mean {measure.title}")
        if measure.less and costs["quality"].max() > 20 * costs["quality"].min() > 0:
            axes.set_yscale("log")
            plain_log(axes.yaxis)
        told.append(f"of {axis} {', '.join(best['method']) or 'nobody'}")
    legend(figure, lines)
    text = (
        f"Mean {measure.title} against cost, a point a method, and the frontier of those that no other beats at no "
        f"more cost: {'; '.join(told)}."
    )
    text += " Methods with diverged runs are on no frontier." * bool(costs["diverged"].any())
    return Drawing(figure, text, costs)
