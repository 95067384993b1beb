"""Figures of critics in the plane: contours of the score, the score along one line, samples over training."""

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lipbench.reports.drawing.looks import ORANGE
from lipbench.reports.drawing.style import PAGE, Drawing, drawable, legend, style
from lipbench.reports.reading.shown import Shown

ABREAST, LEVELS = 4, 14
ROWS = 9  # of a strip: as many as a printed page holds
MOMENTS = 6  # of training, in a strip
# Light to dark, so that it can be read in grey; neither end hides the points.
SHADES = LinearSegmentedColormap.from_list("shades", ["#f7fbff", "#9ecae1", "#2f6fa8"])
REAL, FAKE = "0.1", ORANGE
FLAT = 1e-9  # of the size of a score: what differs by less is one number


def draw(shown: list[Shown]) -> dict[str, Drawing]:
    """All figures of runs of one seed, a run a method, by name."""
    with_plane = [each for each in shown if each.has_plane]
    with style():
        figures: dict[str, Drawing] = {}
        if with_plane:
            figures |= {"contours": contours(with_plane), "along-a-line": along(with_plane)}
        moving = [each for each in shown if "samples" in each.arrays and len(each.arrays["steps"]) > 1]
        parts = [moving[start : start + ROWS] for start in range(0, len(moving), ROWS)]
        for number, part in enumerate(parts, 1):
            figures["samples-over-training" + f"-{number}" * (len(parts) > 1)] = strip(part)
    return figures


def contours(shown: Sequence[Shown]) -> Drawing:
    """The score of each method's critic over the plane, with real and generated points."""
    figure, places = _panels(len(shown), PAGE / ABREAST + 0.12)
    rows: list[dict[str, Any]] = []
    for axes, each in zip(places, shown, strict=True):
        low, high, outside = contour(axes, each)
        axes.set_title(f"{drawable(each.method)}: {_range(low, high)}", fontsize=7)
        rows.append({"method": each.method, "seed": each.seed, "run_id": each.run_id, "lowest": low, "highest": high,
                     "outside": outside})  # fmt: skip
    _name_points(figure, shown)
    out = [f"{row['method']} {row['outside']:.0%}" for row in rows if row["outside"] > 0]
    text = (
        f"Score of each critic at the last evaluation of seed {shown[0].seed}, light where it is lowest and dark where "
        f"it is highest: {LEVELS} steps of equal height, on a scale of its own, whose ends stand above each panel."
    )
    text += f" Generated points outside of the panel: {', '.join(out)}." * bool(out)
    return Drawing(figure, text, pd.DataFrame(rows))


def contour(axes: Axes, each: Shown) -> tuple[float, float, float]:
    """Draw one critic; gives its lowest and highest score there, and the share of generated points that lie outside."""
    left, right, bottom, top = each.arrays["box"]
    score = each.arrays["score"]
    finite = score[np.isfinite(score)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], aspect="equal")
    axes.grid(visible=False)
    if _is_flat(low, high):
        axes.set_facecolor(SHADES(0.3))
    elif finite.size:
        ys, xs = (
            np.linspace(*ends, count) for ends, count in zip(((bottom, top), (left, right)), score.shape, strict=True)
        )
        levels = np.linspace(low, high, LEVELS + 1)
        filled = axes.contourf(xs, ys, score, levels=levels, cmap=SHADES)
        filled.set_rasterized(True)  # of a critic with many pieces the outlines would fill megabytes
    outside = ~((each.fake >= (left, bottom)) & (each.fake <= (right, top))).all(axis=1)
    _dots(axes, each.arrays["real"], REAL, "+", 7.0)
    _dots(axes, each.fake, FAKE, "o", 3.0)
    return low, high, float(outside.mean())


def along(shown: Sequence[Shown]) -> Drawing:
    """The score along the horizontal line through the middle, as points: a line would bridge a jump."""
    figure, places = _panels(len(shown), 1.25)
    tables = []
    for axes, each in zip(places, shown, strict=True):
        course(axes, each)
        axes.set_title(drawable(each.method), fontsize=7)
        at, score = each.arrays["along"], each.arrays["on_line"]
        tables.append(pd.DataFrame({"method": each.method, "seed": each.seed, "x": at, "score": score}))
    text = (
        f"Score of each critic along the horizontal line through the middle of the data, at the last evaluation of "
        f"seed {shown[0].seed}, at {len(shown[0].arrays['along']):,} places, each panel on a scale of its own; marks "
        f"below are real points near the line. A gap in height between neighbouring places is a jump."
    )
    return Drawing(figure, text, pd.concat(tables, ignore_index=True))


def course(axes: Axes, each: Shown) -> None:
    """Draw one critic along the line."""
    at, score, real = each.arrays["along"], each.arrays["on_line"], each.arrays["real"]
    axes.plot(at, score, ".", color="0.1", markersize=1, markeredgewidth=0, rasterized=True)
    near = real[np.abs(real[:, 1] - each.arrays["height"]) < 0.02 * (at[-1] - at[0]), 0]
    axes.plot(near, np.full(len(near), 0.03), "|", color=REAL, transform=axes.get_xaxis_transform(), markersize=5)
    axes.tick_params(labelsize=6)
    axes.ticklabel_format(useOffset=False)
    axes.locator_params(nbins=4)
    axes.set_xlim(at[0], at[-1])


def strip(shown: Sequence[Shown]) -> Drawing:
    """Generated points at some evaluations, a row a method, over real points."""
    moments = _moments(max(len(each.arrays["steps"]) for each in shown))
    side = min(PAGE / len(moments), 1.0)
    with_window = next((each.arrays["box"] for each in shown if each.has_plane), None)
    figure = Figure(figsize=(side * len(moments) + 0.5, side * len(shown) + 0.3))
    rows = []
    for row, each in zip(figure.subplots(len(shown), len(moments), squeeze=False), shown, strict=True):
        steps, real = each.arrays["steps"], each.arrays["real"]
        box = _around(real) if with_window is None else with_window
        for axes, moment in zip(row, moments, strict=True):
            axes.set(xlim=box[:2], ylim=box[2:], xticks=[], yticks=[], aspect="equal")
            axes.grid(visible=False)
            if moment >= len(steps):
                continue
            _dots(axes, real, "0.75", ".", 2.0)
            _dots(axes, each.arrays["samples"][moment], FAKE, "o", 1.5)
            axes.set_title(f"{steps[moment]:,}", fontsize=6, loc="center", pad=2)
            rows.append({"method": each.method, "seed": each.seed, "run_id": each.run_id, "step": int(steps[moment])})
        row[0].set_ylabel(drawable(each.method), fontsize=7)
    text = (
        f"Generated points (orange) over real ones (grey) at evaluations of seed {shown[0].seed}, a row a method, with "
        f"the step above each panel."
    )
    return Drawing(figure, text, pd.DataFrame(rows))


def _panels(count: int, height: float) -> tuple[Figure, list[Axes]]:
    rows, columns = ceil(count / ABREAST), min(count, ABREAST)
    figure = Figure(figsize=(PAGE * max(columns, 2) / ABREAST, height * rows + 0.25))
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places[count:]:
        axes.set_axis_off()
    return figure, places[:count]


def _dots(axes: Axes, points: Float[np.ndarray, "n 2"], colour: str, marker: str, size: float) -> None:
    edge = {"+": (0.5, None), "o": (0.15, "0.2")}.get(marker, (0.0, None))
    axes.scatter(
        points[:, 0], points[:, 1], s=size, c=colour, marker=marker, rasterized=True, linewidths=edge[0],
        edgecolors=edge[1],
    )  # fmt: skip


def _name_points(figure: Figure, shown: Sequence[Shown]) -> None:
    fake = "generated points" if "samples" in shown[0].arrays else "points of the second distribution"
    legend(figure, {
        "real points": Line2D([], [], linestyle="none", marker="+", color=REAL, markersize=4),
        fake: Line2D([], [], linestyle="none", marker="o", color=FAKE, markersize=3),
    })  # fmt: skip


def _moments(count: int) -> list[int]:
    """Some of so many evaluations, evenly spread, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, MOMENTS))})


def _around(real: Float[np.ndarray, "n 2"]) -> tuple[float, float, float, float]:
    (left, bottom), (right, top) = real.min(axis=0), real.max(axis=0)
    wide = 0.25 * max(right - left, top - bottom, 1e-3)
    return left - wide, right + wide, bottom - wide, top + wide


def _is_flat(low: float, high: float) -> bool:
    return bool(high - low <= FLAT * max(abs(low), abs(high), FLAT))


def _range(low: float, high: float) -> str:
    if np.isnan(low):
        return "not finite"
    return f"constant {low:.3g}" if _is_flat(low, high) else f"{low:.2g} to {high:.2g}".replace("-", "−")


def portrait(shown: Shown, what: str) -> Drawing:
    """One critic, its contours beside its course along a line; `what` is drawn, its score or the raw critic."""
    with style():
        figure = Figure(figsize=(PAGE, 3.2))
        left, right = figure.subplots(1, 2)
        low, high, outside = contour(left, shown)
        left.set_title(f"{what} of {drawable(shown.method)}, seed {shown.seed}: {_range(low, high)}", fontsize=8)
        course(right, shown)
        right.set_title(f"along the line at height {shown.arrays['height']:.3g}", fontsize=8)
        _name_points(figure, [shown])
    text = (
        f"{what.capitalize()} of {shown.run_id} over the plane, light where it is lowest and dark where it is highest, "
        f"in {LEVELS} steps of equal height; and along the horizontal line through the middle, as points. Generated "
        f"points outside: {outside:.0%}."
    )
    return Drawing(figure, text, pd.DataFrame({"x": shown.arrays["along"], what: shown.arrays["on_line"]}))
