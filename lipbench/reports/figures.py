"""The figures of one comparison. A method has one colour in all of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from PIL import Image

from lipbench.reports.statistics import t_interval
from lipbench.store import Status

SIZE = (7.2, 4.2)


def palette(methods: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """A colour for each method, distinct for colour-blind readers up to ten."""
    names = sorted(set(methods))
    colours = sns.color_palette("colorblind" if len(names) <= 10 else "husl", len(names))
    return dict(zip(names, colours, strict=True))


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, without touching anyone's global settings."""
    look: Any = sns.axes_style("whitegrid") | {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "font.size": 10,
        "legend.frameon": False,
        "savefig.dpi": 160,
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context(look):
        yield


def draw(runs: pd.DataFrame, traces: pd.DataFrame, real_fid: float | None) -> dict[str, tuple[Figure, str]]:
    """All figures that the data can carry, by file name, each with a text for those who cannot see it.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
        real_fid: the FID of real pictures against real ones, drawn as a line; None if unknown.
    """
    colours = palette(list(runs["method"]))
    done = runs[runs["status"] == Status.DONE]
    figures = {}
    with style():
        if not traces.empty and traces["fid"].notna().any():
            figures["fid-steps"] = _fid_over(traces, "step", "generator steps", colours, real_fid)
            timed = traces.assign(
                seconds=traces.groupby(["method", "step"])["seconds_train"].transform("mean"),
            )
            figures["fid-seconds"] = _fid_over(timed, "seconds", "seconds of training", colours, real_fid)
            figures["gradient-norms"] = _gradient_norms(traces, colours)
        if done["fid"].notna().any():
            figures["fid-final"] = _fid_final(done, colours, real_fid)
            figures["cost"] = _cost(done, colours)
    return figures


def _fid_over(
    traces: pd.DataFrame, x: str, label: str, colours: dict[str, tuple[float, float, float]], real_fid: float | None
) -> tuple[Figure, str]:
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    # The band spans all seeds: with five of them, an interval of the mean would promise more than they carry.
    sns.lineplot(
        traces, x=x, y="fid", hue="method", hue_order=sorted(colours), palette=colours, errorbar=("pi", 100), ax=axes
    )
    axes.set(yscale="log", xlabel=label, ylabel="FID", title=f"FID against {label}")
    _plain_log(axes.yaxis)
    if real_fid is not None:
        axes.axhline(real_fid, color="0.4", linestyle=":", linewidth=1.2)
        axes.annotate(" real against real", (0, real_fid), xycoords=("axes fraction", "data"), ha="left", va="top",
                      fontsize=9, color="0.4")  # fmt: skip
    axes.legend(title=None)
    last = traces[traces["step"] == traces.groupby("method")["step"].transform("max")]
    ends = ", ".join(f"{method} {fid:.3g}" for method, fid in last.groupby("method")["fid"].mean().items())
    return (
        figure,
        f"FID against {label}, a line a method, a band from the lowest to the highest seed; at the end: {ends}.",
    )


def _fid_final(
    done: pd.DataFrame, colours: dict[str, tuple[float, float, float]], real_fid: float | None
) -> tuple[Figure, str]:
    known = done[done["fid"].notna()].astype({"fid": float, "method": object})
    order = list(known.groupby("method")["fid"].mean().sort_values().index)
    figure = Figure(figsize=(SIZE[0], 0.7 * len(order) + 1.4))
    axes = figure.subplots()
    sns.stripplot(
        known, x="fid", y="method", hue="method", order=order, palette=colours, size=7, alpha=0.8, jitter=0.1, ax=axes,
        legend=False,
    )  # fmt: skip
    wide = known["fid"].max() > 20 * known["fid"].min() > 0
    least = known["fid"].min() / 2 if wide else 0.0  # a logarithm has no place for an interval's negative end
    for row, method in enumerate(order):
        interval = t_interval(known.loc[known["method"] == method, "fid"])
        axes.plot(interval.mean, row + 0.28, "|", color="0.25", markersize=10)
        if interval.n > 1:
            axes.plot([max(interval.low, least), interval.high], [row + 0.28] * 2, color="0.25", linewidth=1.2)
    axes.set(xlabel="FID at the last step", ylabel="", title="Final FID: every seed, mean and 95 % t-interval")
    if wide:
        axes.set_xscale("log")
        _plain_log(axes.xaxis)
    axes.set_xlim(left=least)
    if real_fid is not None and real_fid > least:
        axes.axvline(real_fid, color="0.4", linestyle=":", linewidth=1.2)
        axes.annotate("real against real ", (real_fid, 0), xycoords=("data", "axes fraction"), rotation=90, ha="right",
                      va="bottom", fontsize=9, color="0.4")  # fmt: skip
    means = ", ".join(f"{method} {known.loc[known['method'] == method, 'fid'].mean():.3g}" for method in order)
    return figure, f"Final FID of every seed as a point, with mean and 95 % t-interval; means: {means}."


def _gradient_norms(traces: pd.DataFrame, colours: dict[str, tuple[float, float, float]]) -> tuple[Figure, str]:
    figure = Figure(figsize=(9.6, 4.2))
    panels = {"grad_norm_max": "score: what losses see", "raw_grad_norm_max": "raw critic"}
    for axes, (column, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        sns.lineplot(
            traces, x="step", y=column, hue="method", hue_order=sorted(colours), palette=colours, errorbar=("pi", 100),
            ax=axes, legend=axes.get_subplotspec().colspan.start == 0,
        )  # fmt: skip
        axes.axhline(1, color="0.2", linestyle="--", linewidth=1)
        axes.annotate("bound 1", (1, 1), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9)
        axes.set(yscale="log", xlabel="generator steps", ylabel="largest gradient norm", title=title)
        _plain_log(axes.yaxis)
        if axes.get_legend() is not None:
            axes.legend(title=None)
    return figure, (
        "Largest gradient norm on held-out real, generated and interpolated points over training, left of the score, "
        "right of the raw critic, with the bound 1 as a dashed line."
    )


def _cost(done: pd.DataFrame, colours: dict[str, tuple[float, float, float]]) -> tuple[Figure, str]:
    order = list(done.groupby("method")["seconds_per_step"].mean().sort_values().index)
    known = done.assign(
        milliseconds=done["seconds_per_step"] * 1e3, memory=done["peak_memory_bytes"].astype(float) / 2**20
    )
    known = known.astype({"method": object})
    figure = Figure(figsize=(9.6, 0.5 * len(order) + 1.6))
    panels = {"milliseconds": "ms a generator step (median)", "memory": "peak memory of the process, MiB"}
    for axes, (column, label) in zip(figure.subplots(1, 2, sharey=True), panels.items(), strict=True):
        sns.barplot(
            known, x=column, y="method", hue="method", order=order, palette=colours, errorbar=None, ax=axes, alpha=0.5,
            legend=False,
        )  # fmt: skip
        sns.stripplot(known, x=column, y="method", order=order, color="0.2", size=4, ax=axes)
        axes.set(xlabel=label, ylabel="")
    figure.suptitle("Cost: mean as a bar, every seed as a point", x=0.01, ha="left", fontweight="bold", fontsize=12)
    means = known.groupby("method")["milliseconds"].mean()
    return figure, "Milliseconds a step: " + ", ".join(f"{method} {means[method]:.3g}" for method in order) + "."


def samples(grids: dict[str, Path]) -> Figure:
    """Every method's sample grid in a row.

    Args:
        grids: the picture file of each method.
    """
    with style():
        figure = Figure(figsize=(2.4 * len(grids), 2.7))
        for axes, (method, path) in zip(figure.subplots(1, len(grids), squeeze=False)[0], grids.items(), strict=True):
            axes.imshow(Image.open(path), interpolation="nearest")
            axes.set_title(method)
            axes.set_axis_off()
    return figure


def _plain_log(axis: Axis) -> None:
    """Numbers as people write them, also between powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
