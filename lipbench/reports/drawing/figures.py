"""The figures of one comparison. A method has one colour in all of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from lipbench.disk.store import Status
from lipbench.measures import COLUMNS, Column
from lipbench.reports import budget
from lipbench.reports.drawing import curves, dirac, ends, plane
from lipbench.reports.drawing.looks import looks
from lipbench.reports.drawing.style import PAGE, Drawing, drawable, style
from lipbench.reports.promised import SECANTS
from lipbench.reports.reading.columns import deciding
from lipbench.reports.reading.shown import Shown, of_one_seed
from lipbench.request.cell import file_name

AXES = list(ends.AXES)
ABREAST = 5  # sample grids in a row


def draw(
    runs: pd.DataFrame, traces: pd.DataFrame, columns: Sequence[Column] = COLUMNS, shown: Sequence[Shown] = ()
) -> dict[str, Drawing]:
    """All figures that the data can carry, by file name.

    Args:
        runs: rows of one comparison.
        traces: its evaluations.
        columns: of both.
        shown: what its runs on points kept to be shown.
    """
    known = looks(runs["method"])
    done = runs[runs["status"] == Status.DONE]
    one_device = budget.devices(runs) is None
    figures = plane.draw(of_one_seed(list(shown))) | dirac.draw(runs, traces, list(shown), known)
    with style():
        with_generator = traces[["fid", "fid_curve", "sample_w1"]].notna().any(axis=None)
        axes = {"steps": ("step", "generator steps" if with_generator else "critic steps")}
        axes |= {"seconds": ("seconds_train", "seconds of training")} if one_device else {}
        for column in columns:
            if column.curve and _evaluations(traces, column) >= column.curve.least:
                for name, axis in axes.items():
                    if name == "steps" or column.curve.seconds:
                        drawing = curves.over_training(runs, traces, column, column.curve, *axis, known)
                        figures[f"{file_name(column.name)}-{name}"] = drawing
        if traces["grad_norm_max"].notna().any():
            figures["gradient-norms"] = curves.gradient_norms(runs, traces, known)
        examined = done[done[SECANTS].notna().all(axis=1)]
        if not examined.empty:
            figures["secants"] = curves.secants(examined, known)
        if done["fid"].notna().any():
            figures["fid-final"] = ends.fid_final(done, known)
        if one_device and done[["seconds_per_step", "peak_memory_bytes"]].notna().any(axis=None):
            figures["cost"] = ends.cost(done, known)
        costs, measure = budget.costs(runs), deciding(runs)
        comparable = costs is not None and len(costs) > 1 and one_device
        if costs is not None and measure is not None and comparable and costs[AXES].notna().any(axis=None):
            figures["frontier"] = ends.frontier(costs, measure, known)
    lost = _lost(runs)
    return {name: drawing._replace(text=f"{drawing.text}{lost}") for name, drawing in figures.items()}


def _evaluations(traces: pd.DataFrame, column: Column) -> int:
    """At how many evaluations of one run a column is known, at most."""
    counts = traces.loc[traces[column.name].notna(), "run_id"].value_counts()
    return int(counts.max()) if len(counts) else 0


def _lost(runs: pd.DataFrame) -> str:
    """Which runs are in no mean, in a sentence; nothing where all have finished."""
    diverged = runs["status"] == Status.DIVERGED
    groups = {"diverged": runs[diverged], "not finished": runs[~diverged & (runs["status"] != Status.DONE)]}
    told = [
        f"{what}: {', '.join(f'{method} {count}' for method, count in counts.items())}"
        for what, group in groups.items()
        if len(counts := group.groupby("method").size())
    ]
    return f" Runs that are in no mean, {'; '.join(told)}." if told else ""


def samples(grids: list[dict[str, Any]]) -> Drawing:
    """Every method's sample grid, side by side, of which `grids` has method, seed, step and path."""
    rows, columns = -(-len(grids) // ABREAST), min(len(grids), ABREAST)
    with style():
        figure = Figure(figsize=(PAGE * columns / ABREAST, (PAGE / ABREAST + 0.2) * rows))
        places = figure.subplots(rows, columns, squeeze=False).flat
        for axes in places:
            axes.set_axis_off()
        for axes, grid in zip(figure.axes, grids, strict=False):
            with Image.open(grid["path"]) as picture:
                axes.imshow(_reduced(np.asarray(picture.convert("RGB"))), interpolation="none")
            axes.set_title(drawable(grid["method"]), fontsize=7)
    data = pd.DataFrame([{key: grid[key] for key in ("method", "seed", "step")} for grid in grids])
    return Drawing(figure, "Samples at equal latents, a grid a method.", data)


def _reduced(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h2 w2 c"]:
    """The same picture without the enlargement by a whole factor: viewers enlarge, and files stay small."""
    for factor in range(64, 1, -1):
        if picture.shape[0] % factor == picture.shape[1] % factor == 0:
            small = picture[::factor, ::factor]
            if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), picture):
                return small
    return picture
