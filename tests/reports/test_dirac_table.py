"""The table of Dirac-GANs: what their seeds do, counted."""

import numpy as np

from lipbench.reports.dirac import RULES, table, tally
from tests.reports.builder import table as runs_of


def test_verdicts_are_counted_over_seeds_and_one_word_stands_alone_where_all_agree() -> None:
    runs = runs_of([
        {"method": "none", "seed": 0, "dynamics": "cycles", "theta": 1.0, "psi": -1.0},
        {"method": "none", "seed": 1, "dynamics": "cycles", "theta": -1.0, "psi": 1.0},
        {"method": "r1", "seed": 0, "dynamics": "converges", "theta": 0.0, "psi": 0.0},
        {"method": "r1", "seed": 1, "dynamics": "stuck", "theta": 3.0, "psi": 0.0},
    ])  # fmt: skip
    found = table(runs)
    assert found is not None
    assert found[["method", "verdict", "|θ| at the end", "n"]].to_numpy().tolist() == [
        ["none", "cycles", "1.00 ± 0.00", "2"], ["r1", "converges 1, stuck 1", "1.5 ± 19.1", "2"]
    ]  # fmt: skip
    assert "Converges" in RULES


def test_a_run_that_diverged_does_so_whatever_its_trajectory_said_before() -> None:
    runs = runs_of([{"method": "a", "status": "diverged", "dynamics": "cycles"}, {"method": "a", "dynamics": "cycles"}])
    assert tally(runs) == "cycles 1, diverges 1"


def test_other_runs_have_no_such_table() -> None:
    assert table(runs_of([{"method": "a", "fid": 3.0}])) is None
    assert tally(runs_of([{"method": "a", "dynamics": np.nan}])) == "–"
