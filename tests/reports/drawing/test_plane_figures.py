"""Figures of critics over the plane: what is drawn is what the run kept."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from lipbench.reports.drawing import plane
from lipbench.reports.drawing.plane import MOMENTS, ROWS, along, contours, draw, portrait, strip
from lipbench.reports.reading.shown import Shown

SIDE = 21


def shown(method: str = "gn", seed: int = 0, **changed: Any) -> Shown:
    """A run whose score is x, with real points at (±1, 0) and generated ones that begin at 0 and end at (1, 0)."""
    xs = np.linspace(-2, 2, SIDE)
    ends = np.array([[-1.0, 0], [1, 0]])
    arrays = {
        "box": np.array([-2.0, 2, -2, 2]),
        "score": np.tile(xs, (SIDE, 1)),
        "along": xs,
        "height": np.array(0.0),
        "on_line": xs,
        "real": ends,
        "samples": np.stack([0 * ends, abs(ends)]),
        "steps": np.array([10, 20]),
    }
    return Shown(f"{method}-ring-s{seed}", method, seed, arrays | changed)


def title(axes: Axes) -> str:
    return axes.get_title(loc="left") or axes.get_title()


def test_a_panel_for_each_method_has_its_own_scale_which_its_title_gives() -> None:
    drawing = contours([shown("gn"), shown("wc", score=np.full((SIDE, SIDE), 0.25))])
    titles = [title(axes) for axes in drawing.figure.axes]
    assert titles == ["gn: −2 to 2", "wc: constant 0.25"]
    assert drawing.data[["method", "lowest", "highest", "outside"]].to_numpy().tolist() == [
        ["gn", -2, 2, 0], ["wc", 0.25, 0.25, 0]
    ]  # fmt: skip
    assert "Generated points outside" not in drawing.text


def test_rows_of_the_score_are_drawn_from_the_bottom_up_in_levels_of_equal_height() -> None:
    rising = shown(score=np.tile(np.linspace(0, 1, SIDE), (SIDE, 1)).T)
    (axes, *_) = contours([rising]).figure.axes
    filled, *_ = axes.collections
    assert np.diff(filled.levels) == pytest.approx(1 / 14)
    lowest = filled.get_paths()[0].vertices
    assert lowest[:, 1].max() == pytest.approx(-2 + 4 / 14)


def test_generated_points_that_lie_outside_are_counted_and_said() -> None:
    far = np.array([[[0.0, 0], [9, 9]]])
    drawing = contours([shown(samples=far)])
    assert drawing.data["outside"].tolist() == [0.5]
    assert drawing.text.endswith("Generated points outside of the panel: gn 50%.")


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_a_score_that_is_nowhere_finite_is_said_to_be_so(score: float) -> None:
    drawing = contours([shown(score=np.full((SIDE, SIDE), score))])
    assert title(drawing.figure.axes[0]) == "gn: not finite"


def test_the_line_is_drawn_as_points_with_the_real_points_near_it() -> None:
    real = np.array([[-1.0, 0.0], [1.0, 1.9]])
    drawing = along([shown(real=real)])
    course, marks = drawing.figure.axes[0].lines
    assert (course.get_linestyle(), course.get_marker()) == ("None", ".")
    assert marks.get_xdata().tolist() == [-1]
    assert drawing.data["score"].tolist() == np.linspace(-2, 2, SIDE).tolist()


def test_a_strip_has_a_row_a_method_and_the_steps_above() -> None:
    drawing = strip([shown("gn"), shown("wc")])
    titles = [axes.get_title() for axes in drawing.figure.axes]
    assert titles == ["10", "20", "10", "20"]
    assert [axes.get_ylabel() for axes in drawing.figure.axes][::2] == ["gn", "wc"]
    last = drawing.figure.axes[1].collections[-1].get_offsets()
    assert np.asarray(last).tolist() == [[1, 0], [1, 0]]


def test_a_run_with_fewer_evaluations_leaves_the_other_places_empty() -> None:
    short = shown("wc", samples=np.zeros((1, 2, 2)), steps=np.array([10]))
    assert strip([shown("gn"), short]).data["method"].tolist() == ["gn", "gn", "wc"]


def test_long_runs_show_some_evaluations_and_many_methods_take_several_figures() -> None:
    assert plane._moments(100) == [0, 20, 40, 59, 79, 99]
    assert len(plane._moments(100)) == MOMENTS
    drawn = draw([shown(f"m{number}") for number in range(ROWS + 1)])
    assert list(drawn) == ["contours", "along-a-line", "samples-over-training-1", "samples-over-training-2"]


def test_nothing_to_show_gives_no_figure() -> None:
    assert draw([]) == {}
    only_samples = Shown(
        "a", "gn", 0, {"real": np.zeros((1, 2)), "samples": np.zeros((1, 1, 2)), "steps": np.array([1])}
    )
    assert draw([only_samples]) == {}


def test_a_portrait_shows_one_critic_and_names_points_of_a_pair_as_what_they_are() -> None:
    arrays = dict(shown().arrays)
    del arrays["samples"], arrays["steps"]
    pair = Shown("gp-w1-s0", "gp", 3, arrays | {"fake": np.zeros((2, 2))})
    drawing = portrait(pair, "score")
    (legend,) = drawing.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["real points", "points of the second distribution"]
    assert title(drawing.figure.axes[0]) == "score of gp, seed 3: −2 to 2"
    assert list(drawing.data.columns) == ["x", "score"]
