"""What was promised beside what was measured."""

import math

import pandas as pd
import pytest

from lipbench.reports import promised
from lipbench.reports.promised import CONTINUOUS, DISCONTINUOUS, UNBOUNDED, verdict


@pytest.mark.parametrize(
    ("gradient", "secants", "words"),
    [
        (1.3, [1.1, 1.3, 1.3, 1.3], CONTINUOUS),
        (0.999, [1.3, 6.4, 38.0, 307.0], DISCONTINUOUS),
        (0.989, [8.3, 63.0, 528.0, 5283.0], DISCONTINUOUS),
        (14.9, [14.2, 14.8, 14.9, 14.9], UNBOUNDED),
        (1.2, [2.1, 5.2, 5.2, 5.2], UNBOUNDED),
        (8.5, [9.0, 90.0, 900.0, 9000.0], UNBOUNDED),
        (1e-8, [1.4e-14, 1.4e-14, 2.2e-14, 1.1e-13], CONTINUOUS),
    ],
)
def test_the_verdict_follows_from_gradient_and_secants(gradient: float, secants: list[float], words: str) -> None:
    assert verdict(gradient, secants) == words


def run(method: str, *secants: float, **more: object) -> dict[str, object]:
    return {
        "method": method,
        "status": "done",
        "guarantee": "soft",
        "grad_norm_max": 1.0,
        "raw_grad_norm_max": 1.0,
        "raw_secant_max": 1.0,
        "tv_gap": 0.0,
        **dict(zip(promised.SECANTS, secants, strict=True)),
        **more,
    }


def test_the_table_shows_the_worst_seed_and_how_many_seeds_say_so() -> None:
    runs = pd.DataFrame([run("gn", 1, 6, 40, 300), run("gn", 1, 1, 1, 1, tv_gap=0.5), run("wc", 0.5, 0.5, 0.5, 0.5)])
    found = promised.table(runs)
    assert found is not None
    gn, wc = found.to_dict("records")
    assert gn["secant at 0.001"] == "300"
    assert gn["verdict"] == f"{DISCONTINUOUS} (1 of 2); {CONTINUOUS} (1 of 2)"
    assert gn["TV gap"].startswith("0.25 ±")
    assert (wc["verdict"], wc["n"], wc["promise"]) == (CONTINUOUS, "1", "soft")


def test_runs_that_were_not_examined_say_nothing() -> None:
    assert promised.table(pd.DataFrame([run("gn", math.nan, math.nan, math.nan, math.nan)])) is None
    assert promised.table(pd.DataFrame([run("gn", 1, 1, 1, 1, status="diverged")])) is None
