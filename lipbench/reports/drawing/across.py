"""Figures of one protocol over several data sets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lipbench.reports.drawing.looks import Look, looks, stroke
from lipbench.reports.drawing.style import COLUMN, LETTER, Drawing, drawable, legend, rows_sheet, sheet, style
from lipbench.reports.statistics import aggregate
from lipbench.reports.statistics.intervals import short
from lipbench.reports.statistics.ranks import Ranking
from lipbench.reports.suites import Suite

POINTS = 201  # of a performance profile


def draw(suite: Suite, ranks: Ranking | None) -> dict[str, Drawing]:
    """All figures that the data can carry, by file name."""
    known = looks(suite.outcomes)
    figures = {}
    with style():
        if suite.scores:
            figures["score"] = _scores(suite.scores, known)
            figures["profile"] = _profile(suite.scores, known)
        if ranks is not None:
            figures["critical-difference"] = _critical_difference(ranks, known)
    return figures


def _scores(scores: dict[str, list[np.ndarray]], known: dict[str, Look]) -> Drawing:
    rows = [{"method": method, **aggregate.iqm_range(values)._asdict()} for method, values in scores.items()]
    data = pd.DataFrame(rows).sort_values("value", ascending=False, ignore_index=True)
    figure = rows_sheet(COLUMN, data["method"], 0.22)
    axes = figure.subplots()
    finite = data[["value", "low", "high"]].to_numpy(float)
    finite = finite[np.isfinite(finite)]
    left = float(finite.min() - 0.08 * (np.ptp(finite) or 1)) if len(finite) else 0.0  # where −∞ is drawn
    for place, row in enumerate(data.to_dict("records")):
        colour = known[row["method"]].colour
        low, value, high = (max(row[name], left) for name in ("low", "value", "high"))
        axes.plot([low, high], [place, place], color=colour, linewidth=2)
        if row["low"] == -np.inf:
            axes.plot(left, place, "<", color=colour, markersize=5)
        # Hollow where there is no interval.
        if np.isfinite(row["value"]):
            axes.plot(
                value, place, "o", color=colour, markersize=5, fillstyle="none" if np.isnan(row["low"]) else "full"
            )
        else:
            axes.annotate(" diverged", (high, place), va="center", fontsize=7)
    axes.set_yticks(range(len(data)), [drawable(method) for method in data["method"]])
    axes.set_ylim(len(data) - 0.5, -0.5)
    axes.set_xlabel("IQM of scores, 95 % interval")
    axes.grid(axis="y", visible=False)
    listed = ", ".join(
        f"{row['method']} {short(row['value']) if np.isfinite(row['value']) else 'diverged'}"
        for row in data.to_dict("records")
    )
    text = (
        f"Interquartile mean of the scores over data sets and seeds: {listed}; a line that ends in an arrow reaches "
        f"diverged runs, a hollow point has no interval."
    )
    return Drawing(figure, text, data)


def _profile(scores: dict[str, list[np.ndarray]], known: dict[str, Look]) -> Drawing:
    pooled = {method: np.concatenate(values) for method, values in scores.items()}
    finite = np.concatenate([values[np.isfinite(values)] for values in pooled.values()])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    at = np.linspace(low - 0.02 * (high - low), high, POINTS)
    data = pd.concat(
        pd.DataFrame({"method": method, "score": at, "share": aggregate.profile(values, at)})
        for method, values in pooled.items()
    )
    figure = sheet(COLUMN, known)
    axes = figure.subplots()
    lines = {}
    for method, part in data.groupby("method"):
        (lines[str(method)],) = axes.plot(part["score"], part["share"], **stroke(known[str(method)], len(part)))
    axes.set(xlabel="score", ylabel="share of runs above it", ylim=(-0.02, 1.02))
    legend(figure, lines)
    text = (
        "Performance profile: the share of all runs whose score exceeds each value; a curve above another is better "
        "there, and what is missing from 1 at the left has diverged."
    )
    return Drawing(figure, text, data)


def _critical_difference(ranks: Ranking, known: dict[str, Look]) -> Drawing:
    """Demšar's diagram: an axis of ranks, the better half named at its left, and bars over what is not told apart."""
    order = sorted(ranks.means, key=lambda method: ranks.means[method])
    count = len(order)
    better = order[: (count + 1) // 2]
    margins = [LETTER * max(len(drawable(name)) for name in names) + 0.6 for names in (better, order[len(better) :])]
    width = max(COLUMN, sum(margins) + max(1.2, 0.12 * (count - 1)))
    unit = (width - sum(margins)) / (count - 1)  # inches a rank
    bars = 0.09 * len(ranks.groups) + 0.05
    height = 0.55 + bars + 0.16 * len(better) + 0.1
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(1 - margins[0] / unit, count + margins[1] / unit), ylim=(height - 0.55, -0.55))  # y in inches
    _ruler(axes, count, unit)
    axes.plot([1, 1 + ranks.difference], [-0.35, -0.35], color="0.2", linewidth=1.5)
    axes.annotate(f"critical difference {ranks.difference:.2f}", (1, -0.38), ha="left", va="bottom", fontsize=7)
    for level, group in enumerate(ranks.groups):
        ends = [ranks.means[group[0]] - 0.03 / unit, ranks.means[group[-1]] + 0.03 / unit]
        axes.plot(ends, [0.07 + 0.09 * level] * 2, color="0.2", linewidth=2.5, solid_capstyle="butt")
    for place, method in enumerate(order):
        left, rank = place < len(better), ranks.means[method]
        below = bars + 0.16 * ((place if left else count - 1 - place) + 1)
        edge = 1 - 0.1 / unit if left else count + 0.1 / unit
        axes.plot([rank, rank, edge], [0, below, below], color=known[method].colour, linewidth=1)
        axes.annotate(
            f"{drawable(method)}  {rank:.2f}" if left else f"{rank:.2f}  {drawable(method)}",
            (edge, below), xytext=(-2 if left else 2, 0), textcoords="offset points",
            ha="right" if left else "left", va="center", fontsize=7,
        )  # fmt: skip
    listed = ", ".join(f"{method} {ranks.means[method]:.2f}" for method in order)
    return Drawing(
        figure,
        f"Mean ranks over data sets (1 is best), bars join methods that Nemenyi's test does not tell apart; {listed}.",
        pd.DataFrame({"method": order, "mean_rank": [ranks.means[method] for method in order]}),
    )


def _ruler(axes: Axes, count: int, unit: float) -> None:
    axes.plot([1, count], [0, 0], color="0.2", linewidth=1)
    for tick in range(1, count + 1, max(1, int(np.ceil(0.16 / unit)))):
        axes.plot([tick, tick], [0, -0.04], color="0.2", linewidth=1)
        axes.annotate(str(tick), (tick, -0.05), ha="center", va="bottom", fontsize=7)
