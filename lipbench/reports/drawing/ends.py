"""Figures of the end of training: of quality, of cost, and of one against the other."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lipbench.measures import Column
from lipbench.reports.budget import on_cpu
from lipbench.reports.drawing.looks import Look
from lipbench.reports.drawing.style import COLUMN, PAGE, Drawing, drawable, legend, plain_log, rows_sheet, sheet
from lipbench.reports.statistics.intervals import t_interval

AXES = {"seconds": "seconds of training", "memory": "peak memory, MiB"}  # of the frontier


def fid_final(done: pd.DataFrame, looks: dict[str, Look]) -> Drawing:
    """The last FID of every seed with mean and interval."""
    known = done[done["fid"].notna()].astype({"fid": float})
    means = known.groupby("method")["fid"].mean().sort_values()
    figure = rows_sheet(COLUMN, means.index, 0.3)
    axes = figure.subplots()
    wide = known["fid"].max() > 20 * known["fid"].min() > 0
    least = float(known["fid"].min() / 2) if wide else 0.0  # a logarithm has no place for an interval's negative end
    for row, method in enumerate(means.index):
        fids = known.loc[known["method"] == method, "fid"]
        axes.scatter(
            fids, _beside(row, len(fids)), s=16, color=looks[method].colour, alpha=0.8, edgecolor="none", zorder=3
        )
        interval = t_interval(fids)
        axes.plot(interval.mean, row + 0.28, "|", color="0.25", markersize=6)
        if interval.n > 1:
            axes.plot([max(interval.low, least), interval.high], [row + 0.28] * 2, color="0.25", linewidth=1.2)
    _name_rows(axes, list(means.index))
    axes.set(xlabel="FID at the last step")
    if wide:
        plain_log(axes.xaxis)
    axes.set_xlim(least, axes.get_xlim()[1] * 1.04)
    listed = ", ".join(f"{method} {_mean(known, method, 'fid')}" for method in means.index)
    text = f"Final FID of every seed as a point, with mean and 95 % t-interval; means: {listed}."
    return Drawing(figure, text, known[["method", "seed", "fid"]])


def cost(done: pd.DataFrame, looks: dict[str, Look]) -> Drawing:
    """Time a step and memory of every seed."""
    known = pd.DataFrame({
        "method": done["method"],
        "seed": done["seed"],
        "milliseconds": done["seconds_per_step"].astype(float) * 1e3,
        "memory": done["peak_memory_bytes"].astype(float) / 2**20,
    })  # fmt: skip
    means = known.drop(columns="seed").groupby("method").mean().sort_values("milliseconds")
    figure = rows_sheet(PAGE, means.index, 0.22)
    memory = "peak memory of the whole process, MiB" if on_cpu(done).any() else "peak memory, MiB"
    panels = {"milliseconds": "ms a step (median)", "memory": memory}
    for axes, (column, label) in zip(figure.subplots(1, 2, sharey=True), panels.items(), strict=True):
        axes.barh(range(len(means)), means[column], color=[looks[method].colour for method in means.index], alpha=0.5)
        for row, method in enumerate(means.index):
            values = known.loc[known["method"] == method, column]
            axes.scatter(values, _beside(row, len(values)), s=6, color="0.2", edgecolor="none", zorder=3)
        _name_rows(axes, list(means.index))
        axes.set_xlabel(label)
    listed = ", ".join(f"{method} {_mean(known, method, 'milliseconds')}" for method in means.index)
    return Drawing(figure, f"Cost, the mean as a bar and every seed as a point; milliseconds a step: {listed}.", known)


def frontier(costs: pd.DataFrame, measure: Column, looks: dict[str, Look]) -> Drawing:
    """A panel for seconds and one for memory where known, a point a method, and the line that nobody beats.

    Args:
        costs: a row a method, the best first; see `lipbench.reports.budget.costs`.
        measure: of quality.
        looks: of the methods.
    """
    shown = {axis: label for axis, label in AXES.items() if costs[axis].notna().any()}
    figure = sheet(PAGE if len(shown) > 1 else COLUMN, costs["method"])
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
            plain_log(axes.yaxis)
        told.append(f"of {axis} {', '.join(best['method']) or 'nobody'}")
    legend(figure, lines)
    text = (
        f"Mean {measure.title} against cost, a point a method, and the frontier of those that no other beats at no "
        f"more cost: {'; '.join(told)}."
    )
    text += " Methods with diverged runs are on no frontier." * bool(costs["diverged"].any())
    return Drawing(figure, text, costs)


def _mean(known: pd.DataFrame, method: str, column: str) -> str:
    """As the table of means has it."""
    return t_interval(known.loc[known["method"] == method, column]).mean_text


def _beside(row: int, points: int) -> list[float]:
    """Heights that part the points of a row, the same in every drawing."""
    return [float(height) for height in row + (np.linspace(-0.1, 0.1, points) if points > 1 else np.zeros(points))]


def _name_rows(axes: Axes, methods: list[str]) -> None:
    axes.set_yticks(range(len(methods)), [drawable(method) for method in methods])
    axes.set_ylim(len(methods) - 0.5, -0.5)  # the first on top
    axes.grid(axis="y", visible=False)
