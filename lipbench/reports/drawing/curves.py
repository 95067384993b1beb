"""Figures over training: a line a method, a band over its seeds, the legend below."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lipbench.reports.drawing.looks import Look, stroke
from lipbench.reports.drawing.style import COLUMN, PAGE, Drawing, legend, plain_log, sheet
from lipbench.reports.promised import DISTANCES, SECANTS

Looks = dict[str, Look]


def fid_over(traces: pd.DataFrame, x: str, label: str, looks: Looks) -> Drawing:
    """FID against the column `x`."""
    figure = sheet(COLUMN, looks)
    axes = figure.subplots()
    spread = over_seeds(traces, x, "fid")
    lines = _lines(axes, spread, looks)
    axes.set(yscale="log", xlabel=label, ylabel="FID")
    plain_log(axes.yaxis)
    legend(figure, lines)
    ends = ", ".join(f"{method} {fid:.3g}" for method, fid in spread.groupby("method")["mean"].last().items())
    text = f"FID against {label}, a line a method, a band from the lowest to the highest seed; at the end: {ends}."
    return Drawing(figure, text, spread)


def cos_over(traces: pd.DataFrame, looks: Looks) -> Drawing:
    """The cosine with the true gradient against steps."""
    figure = sheet(COLUMN, looks)
    axes = figure.subplots()
    spread = over_seeds(traces, "step", "cos")
    lines = _lines(axes, spread, looks)
    axes.axhline(1, color="0.4", linestyle=":", linewidth=1)
    axes.set(xlabel="critic steps", ylabel="cosine with the true gradient")
    legend(figure, lines)
    ends = ", ".join(f"{method} {cos:.3g}" for method, cos in spread.groupby("method")["mean"].last().items())
    text = (
        f"Cosine between the score's gradient and the true one over training, a line a method, a band over the seeds; "
        f"at the end: {ends}."
    )
    return Drawing(figure, text, spread)


def secants(done: pd.DataFrame, looks: Looks) -> Drawing:
    """The largest secant of the score against the distance of its ends."""
    present = {method: look for method, look in looks.items() if method in set(done["method"])}
    figure = sheet(COLUMN, present)
    axes = figure.subplots()
    long = done.melt(id_vars=["method"], value_vars=SECANTS, var_name="at", value_name="secant")
    long["step"] = long["at"].str.removeprefix("secant_").astype(float)
    spread = over_seeds(long.assign(x=long["step"]), "x", "secant")
    lines = _lines(axes, spread, present)
    for method, line in lines.items():
        line.set(marker=present[method].marker, markersize=3)
    axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="distance of the two points", ylabel="largest secant of the score")
    axes.invert_xaxis()
    axes.set_xticks([float(at) for at in DISTANCES], DISTANCES)
    axes.minorticks_off()
    plain_log(axes.yaxis)
    legend(figure, lines)
    ends = done.groupby("method")["secant_0.001"].max()
    listed = ", ".join(f"{method} {secant:.3g}" for method, secant in ends.items())
    text = (
        f"Largest secant of the score against the distance of its two points, a line a method (mean over seeds), a "
        f"band over the seeds; a continuous score stays level, a jump rises. At a distance of 0.001: {listed}."
    )
    return Drawing(figure, text, spread)


def gradient_norms(traces: pd.DataFrame, looks: Looks) -> Drawing:
    """The largest gradient norms of score and raw critic."""
    figure = sheet(PAGE, looks)
    panels = {"grad_norm_max": "score: what losses see", "raw_grad_norm_max": "raw critic"}
    data = []
    for axes, (column, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        data.append(over_seeds(traces, "step", column).assign(of=column))
        lines = _lines(axes, data[-1], looks)
        axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
        axes.annotate("bound 1", (1, 1), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7)
        axes.set(yscale="log", xlabel="steps", ylabel="largest gradient norm", title=title)
        plain_log(axes.yaxis)
    legend(figure, lines)
    text = (
        "Largest gradient norm on held-out real, generated and interpolated points over training, left of the score, "
        "right of the raw critic, with the bound 1 as a dashed line."
    )
    return Drawing(figure, text, pd.concat(data))


def over_seeds(traces: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Mean, lowest and highest `y` of each method at each step, over the seeds that have one.

    Args:
        traces: a row an evaluation.
        x: the column to draw against; its mean over the seeds is taken.
        y: the column to draw.

    Returns:
        Columns method, x, mean, low, high, n; in the order of x within a method.
    """
    known = pd.DataFrame({"method": traces["method"], "step": traces["step"], "x": traces[x], "y": traces[y]})
    groups = known.groupby(["method", "step"], as_index=False)
    spread = groups.agg(x=("x", "mean"), mean=("y", "mean"), low=("y", "min"), high=("y", "max"), n=("y", "count"))
    return spread.dropna(subset=["x", "mean"]).sort_values(["method", "x"], ignore_index=True)


def _lines(axes: Axes, spread: pd.DataFrame, looks: Looks) -> dict[str, Line2D]:
    """Draw the line and the band of each method; returns the lines."""
    lines = {}
    for method, line in spread.groupby("method"):
        look = looks[str(method)]
        (lines[str(method)],) = axes.plot(line["x"], line["mean"], **stroke(look, len(line)))
        # The band spans all seeds: with five of them, an interval of the mean would promise more than they carry.
        several = line["n"] > 1
        if several.any():
            low, high = line["low"].where(several), line["high"].where(several)
            axes.fill_between(line["x"], low, high, color=look.colour, alpha=0.2, linewidth=0)
    return lines
