"""The figures: what is drawn, and that it is the data."""

import matplotlib as mpl
import pandas as pd
import pytest

from lipbench.reports import figures


def data(scale: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    fids = {("gn", 0): 5.0, ("gn", 1): 6.0, ("wc", 0): 20.0 * scale, ("wc", 1): 20.0 * scale + 1}
    runs = pd.DataFrame([{"method": method, "seed": seed, "fid": fid} for (method, seed), fid in fids.items()])
    runs = runs.assign(status="done", seconds_per_step=0.01, peak_memory_bytes=2**29)
    traces = pd.concat(
        runs.assign(step=step, seconds_train=step * runs["seconds_per_step"], grad_norm_max=0.9, raw_grad_norm_max=2.0)
        for step in (100, 200)
    )
    return runs, traces


def test_a_method_has_one_colour_in_every_figure_whatever_the_order() -> None:
    assert figures.palette(["wc", "gn"]) == figures.palette(["gn", "wc", "gn"])
    assert len(set(figures.palette([str(number) for number in range(14)]).values())) == 14


def test_lines_show_the_means_over_seeds_and_bands_reach_from_lowest_to_highest() -> None:
    runs, traces = data()
    figure, text = figures.draw(runs, traces, None)["fid-steps"]
    (axes,) = figure.axes
    assert axes.lines[0].get_ydata() == pytest.approx([5.5, 5.5])
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (5, 6)
    assert text.endswith("at the end: gn 5.5, wc 20.5.")


def test_gradient_norms_are_drawn_with_the_bound_1() -> None:
    figure, _ = figures.draw(*data(), None)["gradient-norms"]
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert any(list(line.get_ydata()) == [1, 1] and line.get_linestyle() == "--" for line in axes.lines)


def test_the_final_figure_has_a_point_for_every_seed() -> None:
    figure, text = figures.draw(*data(), 4.8)["fid-final"]
    (axes,) = figure.axes
    points = sorted(float(x) for collection in axes.collections for x, _ in collection.get_offsets())
    assert points == [5, 6, 20, 21]
    assert text.endswith("gn 5.5, wc 20.5.")
    assert axes.get_xscale() == "linear"


def test_results_far_apart_are_drawn_on_a_logarithm() -> None:
    figure, _ = figures.draw(*data(scale=100.0), 4.8)["fid-final"]
    assert figure.axes[0].get_xscale() == "log"


def test_nothing_is_drawn_of_nothing() -> None:
    runs, traces = data()
    assert figures.draw(runs.assign(fid=float("nan")), traces.iloc[:0], None) == {}


def test_drawing_leaves_the_global_style_alone() -> None:
    before = dict(mpl.rcParams)
    figures.draw(*data(), None)
    assert dict(mpl.rcParams) == before
