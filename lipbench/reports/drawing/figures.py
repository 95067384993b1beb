"""The figures of one comparison. A method has one colour in all of them."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from lipbench.reports.drawing import curves, strips
from lipbench.reports.drawing.style import drawable, palette, style
from lipbench.reports.promised import SECANTS
from lipbench.store import Status

ABREAST = 5  # sample grids in a row


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
            figures["fid-steps"] = curves.fid_over(traces, "step", "generator steps", colours, real_fid)
            figures["fid-seconds"] = curves.fid_over(traces, "seconds_train", "seconds of training", colours, real_fid)
        if not traces.empty and traces["cos"].notna().any():
            figures["cos-steps"] = curves.cos_over(traces, colours)
        if not traces.empty:
            figures["gradient-norms"] = curves.gradient_norms(traces, colours)
        examined = done[done[SECANTS].notna().all(axis=1)]
        if not examined.empty:
            figures["secants"] = curves.secants(examined, colours)
        if done["fid"].notna().any():
            figures["fid-final"] = strips.fid_final(done, colours, real_fid)
        if not done.empty:
            figures["cost"] = strips.cost(done, colours)
    return figures


def samples(grids: dict[str, Path]) -> Figure:
    """Every method's sample grid, side by side.

    Args:
        grids: the picture file of each method.
    """
    rows, columns = -(-len(grids) // ABREAST), min(len(grids), ABREAST)
    with style():
        figure = Figure(figsize=(2.4 * columns, 2.7 * rows))
        places = figure.subplots(rows, columns, squeeze=False).flat
        for axes in places:
            axes.set_axis_off()
        for axes, (method, path) in zip(figure.axes, grids.items(), strict=False):
            with Image.open(path) as picture:
                axes.imshow(_reduced(np.asarray(picture.convert("RGB"))), interpolation="none")
            # Not in bold, which has fewer glyphs.
            axes.set_title(drawable(method), fontsize=9, fontweight="normal")
    return figure


def _reduced(picture: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h2 w2 c"]:
    """The same picture without the enlargement by a whole factor: viewers enlarge, and files stay small."""
    for factor in range(64, 1, -1):
        if picture.shape[0] % factor == picture.shape[1] % factor == 0:
            small = picture[::factor, ::factor]
            if np.array_equal(small.repeat(factor, axis=0).repeat(factor, axis=1), picture):
                return small
    return picture
