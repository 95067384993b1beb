"""Figures over training: a line a method, a band over its seeds, the legend below."""

from collections.abc import Iterable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from lipbench.disk.store import Status
from lipbench.measures import Column, Curve
from lipbench.measures._slopes import DISTANCES
from lipbench.reports.drawing.looks import Look, stroke
from lipbench.reports.drawing.style import COLUMN, PAGE, Drawing, drawable, legend, plain_log, sheet
from lipbench.reports.promised import SECANTS
from lipbench.reports.statistics.curves import over_seeds, training
from lipbench.reports.statistics.intervals import short, t_interval

Looks = dict[str, Look]
MEAN = "a line a method, the mean over its finished runs, and a band from the lowest to the highest of them"
HELD = ", straight between the evaluations of a run and level after its end"
SINGLE = " Thin lines are single runs that diverged, with a cross at the last evaluation, or have not finished."


def over_training(
    runs: pd.DataFrame, traces: pd.DataFrame, measure: Column, how: Curve, x: str, label: str, looks: Looks
) -> Drawing:
    """A measure over training.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
        measure: a column of both.
        how: it is drawn.
        x: the column of `traces` that it is drawn against.
        label: what that is called.
        looks: of the methods.
    """
    figure = sheet(COLUMN, looks)
    axes = figure.subplots()
    spread, single = training(runs, traces, x, measure.name)
    lines = _lines(axes, spread, single, looks)
    if measure.better == "higher" and measure.high is not None:
        axes.axhline(measure.high, color="0.4", linestyle=":", linewidth=1)
    name = _name(runs, measure, how)
    axes.set(xlabel=label, ylabel=drawable(how.axis or name))
    if how.log:
        plain_log(axes.yaxis)
    legend(figure, lines)
    text = (
        f"{how.caption or f'{name} against {label}'}, {MEAN}{HELD if x != 'step' else ''}"
        f"{_ends(runs, spread, measure.name)}."
    )
    return Drawing(figure, text + SINGLE * (not single.empty), _data(spread, single))


def secants(examined: pd.DataFrame, looks: Looks) -> Drawing:
    """The largest secant of the score against the distance of its ends, of finished runs that have all secants."""
    present = {method: look for method, look in looks.items() if method in set(examined["method"])}
    figure = sheet(COLUMN, present)
    axes = figure.subplots()
    long = examined.melt(id_vars=["run_id", "method"], value_vars=SECANTS, var_name="at", value_name="y")
    spread = over_seeds(long.assign(x=long["at"].str.removeprefix("secant_").astype(float), y=long["y"].astype(float)))
    lines = _means(axes, spread, present)
    for method, line in lines.items():
        line.set(marker=present[method].marker, markersize=3)
    axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
    axes.set(xscale="log", xlabel="distance of the two points", ylabel="largest secant of the score")
    axes.invert_xaxis()
    axes.set_xticks([float(at) for at in DISTANCES], DISTANCES)
    plain_log(axes.yaxis)
    axes.minorticks_off()
    legend(figure, lines)
    ends = examined.groupby("method")["secant_0.001"].max()
    listed = ", ".join(f"{method} {short(secant)}" for method, secant in ends.items())
    text = (
        f"Largest secant of the score against the distance of its two points, {MEAN}; a continuous score stays level, "
        f"a jump rises. The largest of any run at a distance of 0.001: {listed}."
    )
    return Drawing(figure, text, spread)


def gradient_norms(runs: pd.DataFrame, traces: pd.DataFrame, looks: Looks) -> Drawing:
    """The largest gradient norms of score and raw critic."""
    figure = sheet(PAGE, looks)
    panels = {"grad_norm_max": "score: what losses see", "raw_grad_norm_max": "raw critic"}
    data = []
    for axes, (column, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        spread, single = training(runs, traces, "step", column)
        data.append(_data(spread, single).assign(of=column))
        lines = _lines(axes, spread, single, looks)
        axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
        axes.annotate("slope 1", (1, 1), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7)
        axes.set(xlabel="steps", ylabel="largest gradient norm", title=title)
        plain_log(axes.yaxis)
    legend(figure, lines)
    text = (
        f"Largest gradient norm on held-out real, generated and interpolated points over training, {MEAN}: left of the "
        f"score, right of the raw critic, with the slope 1 as a dashed line."
    )
    drawn = pd.concat(data, ignore_index=True)
    return Drawing(figure, text + SINGLE * bool((drawn["run_id"] != "").any()), drawn)


def _lines(axes: Axes, spread: pd.DataFrame, single: pd.DataFrame, looks: Looks) -> dict[str, Line2D]:
    """Draw means, bands and single runs; returns a line a method, in the order of their names."""
    thin = {}
    for (method, _, status), run in single.groupby(["method", "run_id", "status"]):
        marker = "x" if status == Status.DIVERGED else "."
        (thin[str(method)],) = axes.plot(
            run["x"], run["y"], color=looks[str(method)].colour, linestyle=looks[str(method)].dash, linewidth=0.5,
            marker=marker, markersize=3, markevery=[-1],
        )  # fmt: skip
    return dict(sorted((thin | _means(axes, spread, looks)).items()))


def _means(axes: Axes, spread: pd.DataFrame, looks: Looks) -> dict[str, Line2D]:
    """Draw the line and the band of each method; returns the lines."""
    lines = {}
    for method, line in spread.groupby("method"):
        look = looks[str(method)]
        (lines[str(method)],) = axes.plot(line["x"], line["mean"], **stroke(look, len(line)))
        # The band spans all seeds: with five of them, an interval of the mean would promise more than they carry.
        if line["n"].iloc[0] > 1:
            axes.fill_between(line["x"], line["low"], line["high"], color=look.colour, alpha=0.2, linewidth=0)
    return lines


def _name(runs: pd.DataFrame, measure: Column, how: Curve) -> str:
    """What is drawn, and by what it was measured where its title does not say that."""
    known = list(runs[how.by].dropna()) if how.by else []
    return f"{measure.title} by {known[0].rpartition('@')[0]}" if known else measure.title


def _data(spread: pd.DataFrame, single: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: means without a run's id, and single runs with theirs."""
    own = single.rename(columns={"y": "mean"}).drop(columns="status")
    own = own.assign(low=own["mean"], high=own["mean"], n=1)
    parts: Iterable[pd.DataFrame] = (part for part in (spread.assign(run_id=""), own) if len(part))
    columns = ["method", "run_id", *spread.columns.drop("method")]
    return pd.concat([pd.DataFrame(columns=columns), *parts], ignore_index=True)[columns]


def _ends(runs: pd.DataFrame, spread: pd.DataFrame, measure: str) -> str:
    """The means at the end, as the tables have them, and of how many runs where not all have a curve."""
    told = []
    for method, n in spread.groupby("method")["n"].first().items():
        own = t_interval(runs.loc[(runs["status"] == Status.DONE) & (runs["method"] == method), measure].astype(float))
        told.append(f"{method} {own.mean_text}" + f" ({n} of {own.n} runs have a curve)" * (n < own.n))
    return f"; at the end: {', '.join(told)}" if told else ""
