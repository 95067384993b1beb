"""What was promised beside what was measured."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipbench.reports import promised
from lipbench.reports.promised import steepest, verdict


@pytest.mark.parametrize(
    ("gradient", "secants", "words"),
    [
        (1.3, [1.1, 1.3, 1.3, 1.3], "no jump and no slope above 2 found"),
        (0.999, [1.3, 6.4, 38.0, 307.0], "jumps, no gradient above 2 found"),
        (0.989, [8.3, 63.0, 528.0, 5283.0], "jumps, no gradient above 2 found"),
        (14.9, [14.2, 14.8, 14.9, 14.9], "steeper than 2"),
        (2.43, [2.4, 2.43, 2.43, 2.43], "steeper than 2"),
        (1.2, [2.3, 5.2, 5.2, 5.2], "steeper than 2"),
        (8.5, [9.0, 90.0, 900.0, 9000.0], "jumps, and steeper than 2"),
        (1e-8, [1.4e-14, 1.4e-14, 2.2e-14, 1.1e-13], "no jump and no slope above 2 found"),
        (1e-8, [0.0, 0.0, 0.0, 0.1], "jumps, no gradient above 2 found"),
        # Gradients explain it.
        (0.9, [0.1, 0.1, 0.1, 0.8], "no jump and no slope above 2 found"),
        # A small jump, or a steep piece that is narrow: the secants do not tell.
        (0.99, [0.9, 1.0, 1.03, 2.03], "not decided"),
        (0.99, [0.9, 1.0, 1.0, 2.0], "not decided"),
        (0.99, [0.9, 1.0, 1.2, 2.5], "steeper than 2"),
        # Near the limit.
        (2.03, [2.0, 2.0, 2.0, 2.0], "not decided"),
        (1.95, [1.9, 1.9, 1.9, 1.9], "not decided"),
        (1.95, [1.9, 19.0, 190.0, 1900.0], "not decided"),
    ],
)
def test_the_verdict_follows_from_gradient_and_secants(gradient: float, secants: list[float], words: str) -> None:
    assert verdict(gradient, secants) == words


@given(st.lists(st.floats(1e-2, 1e6), min_size=5, max_size=5), st.sampled_from([0.25, 4.0, 16.0]))
def test_a_score_of_another_scale_is_read_by_its_own_target(slopes: list[float], target: float) -> None:
    own = verdict(slopes[0] * target, [slope * target for slope in slopes[1:]], target)
    assert own == verdict(slopes[0], slopes[1:]).replace("2", f"{2 * target:g}")


@given(st.lists(st.floats(0, 1e9), min_size=5, max_size=5))
def test_what_was_found_is_never_called_unbounded(slopes: list[float]) -> None:
    told = verdict(slopes[0], slopes[1:])
    assert "bounded" not in told
    assert ("steeper than 2" in told) == (steepest(slopes[0], slopes[1:]) > 2.2)


def run(method: str, *secants: float, **more: object) -> dict[str, object]:
    return {
        "method": method,
        "status": "done",
        "guarantee": "soft",
        "lipschitz_target": math.nan,  # as in runs of earlier versions
        "grad_norm_max": 1.0,
        "raw_grad_norm_max": 1.0,
        "raw_secant_max": 1.0,
        "tv_gap": 0.0,
        **dict(zip(promised.SECANTS, map(float, secants), strict=True)),
        **more,
    }


def test_the_table_shows_the_worst_seed_and_how_many_seeds_say_so() -> None:
    runs = pd.DataFrame([run("gn", 1, 6, 40, 300), run("gn", 1, 1, 1, 1, tv_gap=0.5), run("wc", 0.5, 0.5, 0.5, 0.5)])
    found = promised.table(runs)
    assert found is not None
    gn, wc = found.to_dict("records")
    assert gn["secant at 0.001"] == "300"
    assert gn["verdict"] == "jumps, no gradient above 2 found (1 of 2); no jump and no slope above 2 found (1 of 2)"
    assert gn["TV gap"].startswith("0.25 ±")
    assert (wc["verdict"], wc["n"], wc["promise"]) == ("no jump and no slope above 2 found", "1", "soft")


def test_a_verdict_of_slopes_names_the_largest_and_a_target_of_its_own() -> None:
    steep = run("wc", 2, 2, 2, 2.87, lipschitz_target=1.0), run("wc", 2.43, 2, 2, 2), run("wc", 1, 1, 1, 1)
    scaled = run("gran[scale=10]", 9, 9, 9, 9, lipschitz_target=10.0, grad_norm_max=9.5)
    found = promised.table(pd.DataFrame([*steep, scaled]))
    assert found is not None
    gran, wc = found.to_dict("records")
    assert wc["verdict"] == "steeper than 2, up to 2.87 (2 of 3); no jump and no slope above 2 found (1 of 3)"
    assert (gran["promise"], gran["verdict"]) == ("soft, aims at 10", "no jump and no slope above 20 found")


def test_runs_that_were_not_examined_say_nothing() -> None:
    assert promised.table(pd.DataFrame([run("gn", math.nan, math.nan, math.nan, math.nan)])) is None
    assert promised.table(pd.DataFrame([run("gn", 1, 1, 1, 1, status="diverged")])) is None
