"""The figure of Dirac-GANs: every trajectory, and the direction of a step."""

import numpy as np
import pandas as pd
import pytest

from lipbench.reports.drawing.dirac import draw
from lipbench.reports.drawing.looks import looks
from lipbench.reports.reading.shown import Shown
from tests.reports.builder import table

RUNS = table([
    {"method": "none", "seed": 0, "dynamics": "cycles"},
    {"method": "none", "seed": 1, "dynamics": "cycles"},
    {"method": "r1", "seed": 0, "dynamics": "converges"},
    {"method": "r1", "seed": 1, "dynamics": "cycles"},
])  # fmt: skip
TRACES = pd.DataFrame([
    {"run_id": run["run_id"], "method": run["method"], "step": step, "theta": float(step), "psi": -float(step)}
    for run in RUNS.to_dict("records") for step in (1, 2)
])  # fmt: skip
FIELD = {"field_from": np.array([[0.0, 0], [1, 0], [2, 0]]), "field_to": np.array([[0.0, 0], [1, 3], [np.nan, 0]])}


def test_every_seed_is_a_line_and_the_title_says_what_they_do() -> None:
    figure, text, numbers = draw(RUNS, TRACES, [], looks(RUNS["method"]))["dirac"]
    none, r1 = figure.axes
    assert [axes.get_title(loc="left") for axes in (none, r1)] == ["none: cycles", "r1: converges 1, cycles 1"]
    assert [line.get_xdata().tolist() for line in none.lines[::3]] == [[1, 2], [1, 2]]
    assert len(numbers) == 8
    assert "the data are 0" in text


def test_arrows_show_where_a_step_goes_from_places_that_move() -> None:
    shown = [Shown("a", "none", 0, FIELD)]
    none, r1 = draw(RUNS, TRACES, shown, looks(RUNS["method"]))["dirac"].figure.axes
    (arrows,) = none.collections
    assert (np.asarray(arrows.get_offsets()).tolist(), arrows.U.tolist(), arrows.V.tolist()) == ([[1, 0]], [0], [1])
    assert not r1.collections


def test_without_a_trajectory_there_is_no_figure() -> None:
    assert draw(RUNS, TRACES.assign(theta=np.nan), [], looks(RUNS["method"])) == {}


@pytest.mark.parametrize("count", [1, 3, 5])
def test_any_number_of_methods_has_a_panel_each(count: int) -> None:
    runs = table([{"method": f"m{number}", "dynamics": "stuck"} for number in range(count)])
    traces = pd.concat([TRACES[:2].assign(run_id=f"run-{n}", method=f"m{n}") for n in range(count)])
    figure = draw(runs, traces, [], looks(runs["method"]))["dirac"].figure
    assert sum(axes.has_data() for axes in figure.axes) == count
