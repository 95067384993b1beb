"""Ours beside what others published."""

import pandas as pd
import pytest

from lipbench.data.w1 import Benchmark
from lipbench.reports.published import distances, fids, reported
from lipbench.reports.statistics.intervals import MEASURES, UNKNOWN
from tests.assets import CENTRES
from tests.reports.builder import table


def of_pair(pair: str) -> pd.DataFrame:
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
    found = distances(of_pair(pair.digest))
    assert found is not None
    table = found.set_index("method")
    assert table.loc["gp", "cos"].startswith("0.85 ±")
    assert table.loc["gp", ["reported as", "their steps", "their cos"]].tolist() == ["wgan-gp", "60,000", "0.84"]
    assert table.loc["wc[bound=0.04]", "reported as"] == "wgan"
    assert table.loc["gn", "reported as"] == UNKNOWN
    assert len(found) == 3 + 12 - 2
    assert set(found["reported as"]) - {UNKNOWN} == set(reported("w1")["label"])


def test_another_network_or_loss_has_nothing_beside_it() -> None:
    pair = Benchmark(path=str(CENTRES), dim=2, funnels=4).load()
    assert distances(of_pair(pair.digest).assign(architecture="mine")) is None
    assert distances(of_pair(pair.digest).assign(loss="hinge")) is None


def test_every_method_has_its_own_steps_and_a_composition_no_counterpart() -> None:
    pair = Benchmark(path=str(CENTRES), dim=2, funnels=4).load()
    mixed = of_pair(pair.digest).replace({"method": {"gn": "sn+gp"}})
    mixed.loc[mixed["method"] == "gp", "steps"] = 60_000
    found = distances(mixed)
    assert found is not None
    table = found.set_index("method")
    assert table.loc["gp", "steps"] == "60,000"
    assert table.loc["sn+gp", ["steps", "reported as"]].tolist() == ["2,000", UNKNOWN]


def test_another_pair_has_nothing_beside_it() -> None:
    assert distances(of_pair("00000000")) is None


def test_the_true_distance_is_the_published_one() -> None:
    for (dim, funnels), rows in reported("w1").groupby(["dim", "funnels"]):
        if dim <= 16:
            pair = Benchmark(path=str(CENTRES), dim=dim, funnels=funnels).load()
            (true,) = rows.loc[rows["label"] == "true", "w1"]
            assert set(rows["pair"]) == {pair.digest}
            assert abs(pair.w1 - true) < 0.02 * true


OURS = {
    "dataset": "cifar10", "architecture": "cnn-32", "loss": "hinge", "steps": 100_000, "samples": 50_000,
    "split": "train", "extractor": "inception-v3-compat@6726825d",
}  # fmt: skip
SETTINGS = {"train.critic_steps": 1, "train.batch_size": 128}


def of_data(**changed: object) -> pd.DataFrame:
    methods = ("sn", 18.0), ("sn", 19.0), ("wc[bound=0.1]", 40.0), ("gn", 15.0)
    return table(
        ({"method": method, "seed": seed, "fid": fid} for seed, (method, fid) in enumerate(methods)),
        **(OURS | changed),
    )


def test_every_number_of_the_same_data_and_network_stands_there_with_its_source() -> None:
    found = fids(of_data(), SETTINGS)
    assert found is not None
    assert len(found) == 8
    collections = found[found["reported as"].str.startswith("SN, pytorch-gan-collections")].iloc[0]
    assert collections[["method", "n", "diverged", "their FID", "differs in"]].tolist() == [
        "sn",
        "2",
        "0",
        "17.81",
        "nothing",
    ]
    assert collections["FID"].startswith("18")


def test_every_difference_that_is_known_is_named() -> None:
    found = fids(of_data(steps=2000, samples=10_000), SETTINGS | {"train.batch_size": 64})
    assert found is not None
    told = dict(zip(found["reported as"].str[:20], found["differs in"], strict=True))
    assert told["SN, pytorch-gan-coll"] == "steps 100,000, not 2,000; batch 128, not 64; pictures 50,000, not 10,000"
    assert told["WC c = .1, pytorch-g"].startswith("loss wasserstein, not hinge; ")
    assert told["SN hinge, Miyato et "] == "pictures 5,000, not 10,000 (not stated: steps, critic steps, batch, split)"


def test_a_number_without_a_counterpart_stands_alone() -> None:
    found = fids(of_data(), SETTINGS)
    assert found is not None
    alone = found[found["reported as"].str.startswith("GP")]
    assert len(alone) == 2
    assert set(alone["method"]) == set(alone["differs in"]) == {UNKNOWN}


@pytest.mark.parametrize(
    "changed", [{"dataset": "digits"}, {"architecture": "cnn-8"}, {"extractor": "digits-cnn@f50e5f19"}, {"fid": None}]
)
def test_other_data_networks_or_extractors_have_nothing_beside_them(changed: dict[str, object]) -> None:
    assert fids(of_data().assign(**changed), SETTINGS) is None


def test_networks_that_are_built_otherwise_are_told() -> None:
    found = fids(of_data(architecture="resnet-32"), SETTINGS)
    assert found is not None
    assert found["differs in"].str.contains("bilinear upsampling, sum pooling").any()


# Of the source's runs, seed by seed: FID against the training pictures, Inception Score.
SEEDS = {
    "cnn-32": [(18.1577, 7.7711), (17.8319, 7.7825), (17.1989, 7.6973), (17.8699, 7.7964), (17.5649, 7.7912)],
    "resnet-32": [(10.7624, 8.3593), (11.3691, 8.3583), (10.7299, 8.4261), (10.629, 8.5687), (11.2553, 8.4648)],
}


@pytest.mark.parametrize(
    ("architecture", "fid", "score"),
    [("cnn-32", "17.72 ± 0.36", "7.77 ± 0.04"), ("resnet-32", "10.95 ± 0.34", "8.44 ± 0.09")],
)
def test_what_was_published_seed_by_seed_is_shown_as_mean_and_deviation(
    architecture: str, fid: str, score: str
) -> None:
    found = fids(of_data(architecture=architecture), SETTINGS)
    assert found is not None
    (row,) = found[found["reported as"].str.startswith("GN, five seeds")].to_dict("records")
    seeds = pd.DataFrame(SEEDS[architecture])
    computed = [f"{mean:.2f} ± {spread:.2f}" for mean, spread in zip(seeds.mean(), seeds.std(), strict=True)]
    assert [row["their FID"], row["their Inception Score"]] == computed == [fid, score]
    assert "weights rescaled while training" in row["differs in"]


def test_every_published_number_has_a_source_and_a_value() -> None:
    found = reported("fid")
    assert found["source"].str.contains(r"arXiv:\d|github\.com/").all()
    assert (found["fid"].notna() | found["inception_score"].notna()).all()


def test_what_is_not_known_of_ours_is_said() -> None:
    found = fids(of_data().assign(loss=None, steps=None, samples=None, split=None), {})
    assert found is not None
    told = dict(zip(found["reported as"].str[:20], found["differs in"], strict=True))
    assert told["SN, pytorch-gan-coll"] == (
        "nothing known (of ours not known: loss, steps, critic steps, batch, pictures, split)"
    )
