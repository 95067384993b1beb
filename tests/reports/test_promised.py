"""What was promised beside what was measured."""

import math

import pandas as pd

from lipbench.reports import promised


def run(method: str, *secants: float, **more: object) -> dict[str, object]:
    return {
        "method": method,
        "status": "done",
        "guarantee": "soft",
        "lipschitz_target": math.nan,  # as in runs of earlier versions
        "grad_norm_max": 1.0,
        "raw_grad_norm_max": 1.0,
        "secant_max": float(max(secants)),
        "raw_secant_max": 1.0,
        "lipschitz_bound": math.nan,  # as in runs of earlier versions
        "raw_lipschitz_bound": math.nan,
        "no_bound": None,
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


def test_a_proven_bound_stands_beside_what_was_found() -> None:
    kept = [
        run("ortho", 0.5, 0.5, 0.5, 0.5, lipschitz_bound=1.0004),
        run("ortho", 0.9, 0.9, 0.9, 0.9, lipschitz_bound=1),
    ]
    clipped = run("wc", 1, 1, 1, 1.25, lipschitz_bound=5.0)
    normalised = run("gn", 1, 6, 40, 300, raw_lipschitz_bound=7.0, no_bound="the score jumps")
    unknown = run("own", 1, 1, 1, 1, no_bound="not proven: layer_norm (layer 3)")
    found = promised.table(pd.DataFrame([*kept, clipped, normalised, unknown]))
    assert found is not None
    told = {
        row["method"]: [row[name] for name in ("verdict", "proven bound", "ratio")] for row in found.to_dict("records")
    }
    assert told == {
        "gn": ["jumps, no gradient above 2 found", "none", "–"],
        "ortho": ["proven: at most 1", "1.001", "1"],
        "own": ["no jump and no slope above 2 found", "not proven", "–"],
        "wc": ["no jump and no slope above 2 found", "5", "4"],
    }
    assert list(found["critic's proven bound"]) == ["7", "–", "–", "–"]


def test_a_bound_is_judged_by_the_target_of_the_method() -> None:
    found = promised.table(pd.DataFrame([run("own", 5, 5, 5, 5, lipschitz_target=10.0, lipschitz_bound=9.0)]))
    assert found is not None
    assert list(found["verdict"]) == ["proven: at most 10"]
