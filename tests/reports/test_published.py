"""Ours beside what others published."""

import pandas as pd

from lipbench.data.w1 import Benchmark
from lipbench.reports import published
from lipbench.reports.statistics.intervals import MEASURES, UNKNOWN
from tests.assets import CENTRES


def runs(pair: str) -> pd.DataFrame:
    rows = [
        {
            "method": method,
            "status": "done",
            "steps": 2000,
            "pair": pair,
            "cos": cos,
            "architecture": "mlp",
            "loss": "wasserstein",
        }
        for method, cos in (("gp", 0.8), ("gp", 0.9), ("gn", 0.7), ("wc[bound=0.04]", 0.1))
    ]
    others = [name for name in MEASURES if name != "cos"]
    return pd.DataFrame(rows).assign(**dict.fromkeys(others, 0.5))


def test_rows_of_the_very_same_pair_stand_beside_ours() -> None:
    pair = Benchmark(path=str(CENTRES), dim=2, funnels=4).load()
    found = published.beside(runs(pair.digest))
    assert found is not None
    table = found.set_index("method")
    assert table.loc["gp", "cos"].startswith("0.85 ±")
    assert table.loc["gp", ["reported as", "their steps", "their cos"]].tolist() == ["wgan-gp", "60,000", "0.84"]
    assert table.loc["wc[bound=0.04]", "reported as"] == "wgan"
    assert table.loc["gn", "reported as"] == UNKNOWN
    assert len(found) == 3 + 12 - 2
    assert set(found["reported as"]) - {UNKNOWN} == set(published.reported()["label"])


def test_another_network_or_loss_has_nothing_beside_it() -> None:
    pair = Benchmark(path=str(CENTRES), dim=2, funnels=4).load()
    assert published.beside(runs(pair.digest).assign(architecture="mine")) is None
    assert published.beside(runs(pair.digest).assign(loss="hinge")) is None


def test_every_method_has_its_own_steps_and_a_composition_no_counterpart() -> None:
    pair = Benchmark(path=str(CENTRES), dim=2, funnels=4).load()
    mixed = runs(pair.digest).replace({"method": {"gn": "sn+gp"}})
    mixed.loc[mixed["method"] == "gp", "steps"] = 60_000
    found = published.beside(mixed)
    assert found is not None
    table = found.set_index("method")
    assert table.loc["gp", "steps"] == "60,000"
    assert table.loc["sn+gp", ["steps", "reported as"]].tolist() == ["2,000", UNKNOWN]


def test_another_pair_has_nothing_beside_it() -> None:
    assert published.beside(runs("00000000")) is None


def test_the_true_distance_is_the_published_one() -> None:
    for (dim, funnels), rows in published.reported().groupby(["dim", "funnels"]):
        if dim <= 16:
            pair = Benchmark(path=str(CENTRES), dim=dim, funnels=funnels).load()
            (true,) = rows.loc[rows["label"] == "true", "w1"]
            assert set(rows["pair"]) == {pair.digest}
            assert abs(pair.w1 - true) < 0.02 * true
