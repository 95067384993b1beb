"""Figures over training: a line a method, a band over its seeds, the legend at the right."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lipbench.reports.drawing.style import Colour, drawable, plain_log
from lipbench.reports.promised import DISTANCES, SECANTS

HEIGHT = 4.2
DASHES = ["-", "--", ":", "-."]  # neighbours among many colours differ in their dashes, too


def fid_over(
    traces: pd.DataFrame, x: str, label: str, colours: dict[str, Colour], real_fid: float | None
) -> tuple[Figure, str]:
    """FID against the column `x`, and the figure in words."""
    figure = _sheet(6.4, colours)
    axes = figure.subplots()
    spread = over_seeds(traces, x, "fid")
    lines = _lines(axes, spread, colours)
    axes.set(yscale="log", xlabel=label, ylabel="FID", title=f"FID against {label}")
    plain_log(axes.yaxis)
    if real_fid is not None:
        axes.axhline(real_fid, color="0.4", linestyle=":", linewidth=1.2)
        axes.annotate(" real against real", (0, real_fid), xycoords=("axes fraction", "data"), ha="left", va="top",
                      fontsize=9, color="0.4")  # fmt: skip
    _legend(figure, lines)
    ends = ", ".join(f"{method} {fid:.3g}" for method, fid in spread.groupby("method")["mean"].last().items())
    return (
        figure,
        f"FID against {label}, a line a method, a band from the lowest to the highest seed; at the end: {ends}.",
    )


def cos_over(traces: pd.DataFrame, colours: dict[str, Colour]) -> tuple[Figure, str]:
    """The cosine with the true gradient against steps, and the figure in words."""
    figure = _sheet(6.4, colours)
    axes = figure.subplots()
    spread = over_seeds(traces, "step", "cos")
    lines = _lines(axes, spread, colours)
    axes.axhline(1, color="0.4", linestyle=":", linewidth=1.2)
    axes.set(xlabel="critic steps", ylabel="cosine with the true gradient", title="How true the gradient points")
    _legend(figure, lines)
    ends = ", ".join(f"{method} {cos:.3g}" for method, cos in spread.groupby("method")["mean"].last().items())
    return figure, (
        f"Cosine between the score's gradient and the true one over training, a line a method, a band over the seeds; "
        f"at the end: {ends}."
    )


def secants(done: pd.DataFrame, colours: dict[str, Colour]) -> tuple[Figure, str]:
    """The largest secant of the score against the distance of its ends, and the figure in words."""
    present = {method: colour for method, colour in colours.items() if method in set(done["method"])}
    figure = _sheet(6.4, present)
    axes = figure.subplots()
    long = done.melt(id_vars=["method"], value_vars=SECANTS, var_name="at", value_name="secant")
    long["step"] = long["at"].str.removeprefix("secant_").astype(float)
    lines = _lines(axes, over_seeds(long.assign(x=long["step"]), "x", "secant"), present)
    for line in lines.values():
        line.set(marker="o", markersize=4)
    axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
    axes.set(xscale="log", yscale="log", xlabel="distance of the two points", ylabel="largest secant of the score",
             title="Secants: a jump grows as the points come together")  # fmt: skip
    axes.invert_xaxis()
    axes.set_xticks([float(at) for at in DISTANCES], DISTANCES)
    axes.minorticks_off()
    plain_log(axes.yaxis)
    _legend(figure, lines)
    ends = done.groupby("method")["secant_0.001"].max()
    listed = ", ".join(f"{method} {secant:.3g}" for method, secant in ends.items())
    return figure, (
        f"Largest secant of the score against the distance of its two points, a line a method (mean over seeds), a "
        f"band over the seeds; a continuous score stays level, a jump rises. At a distance of 0.001: {listed}."
    )


def gradient_norms(traces: pd.DataFrame, colours: dict[str, Colour]) -> tuple[Figure, str]:
    """The largest gradient norms of score and raw critic, and the figure in words."""
    figure = _sheet(9.6, colours)
    panels = {"grad_norm_max": "score: what losses see", "raw_grad_norm_max": "raw critic"}
    for axes, (column, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        lines = _lines(axes, over_seeds(traces, "step", column), colours)
        axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
        axes.annotate("bound 1", (1, 1), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9)
        axes.set(yscale="log", xlabel="steps", ylabel="largest gradient norm", title=title)
        plain_log(axes.yaxis)
    _legend(figure, lines)
    return figure, (
        "Largest gradient norm on held-out real, generated and interpolated points over training, left of the score, "
        "right of the raw critic, with the bound 1 as a dashed line."
    )


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


def _lines(axes: Axes, spread: pd.DataFrame, colours: dict[str, Colour]) -> dict[str, Line2D]:
    """Draw the line and the band of each method; returns the lines."""
    dashes = {method: DASHES[place % len(DASHES)] for place, method in enumerate(sorted(colours))}
    lines = {}
    for method, line in spread.groupby("method"):
        name, colour = str(method), colours[str(method)]
        dash = dashes[name] if len(colours) > 10 else "-"
        marker = "o" if len(line) == 1 else None  # a line of one point cannot be seen
        (lines[name],) = axes.plot(line["x"], line["mean"], color=colour, linestyle=dash, marker=marker)
        # The band spans all seeds: with five of them, an interval of the mean would promise more than they carry.
        several = line["n"] > 1
        if several.any():
            low, high = line["low"].where(several), line["high"].where(several)
            axes.fill_between(line["x"], low, high, color=colour, alpha=0.2, linewidth=0)
    return lines


def _sheet(width: float, colours: dict[str, Colour]) -> Figure:
    """A figure with panels `width` inches wide, and room beside them for the names of all methods."""
    letters = max(len(drawable(method)) for method in colours)
    return Figure(figsize=(width + 0.6 + 0.085 * letters, max(HEIGHT, 0.6 + 0.2 * len(colours))))


def _legend(figure: Figure, lines: dict[str, Line2D]) -> None:
    # Named one by one: matplotlib itself leaves out a line whose name begins with an underscore.
    figure.legend(list(lines.values()), [drawable(name) for name in lines], loc="outside right upper")
