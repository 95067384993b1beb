"""FIDs that others published, beside ours."""

import pandas as pd
import pytest

from lipbench.reports.published_fid import beside, reported
from lipbench.reports.statistics.intervals import UNKNOWN
from tests.reports.builder import table

OURS = {
    "dataset": "cifar10", "architecture": "cnn-32", "loss": "hinge", "steps": 100_000, "samples": 50_000,
    "split": "train", "extractor": "inception-v3-compat@6726825d",
}  # fmt: skip
SETTINGS = {"train.critic_steps": 1, "train.batch_size": 128}


def runs(**changed: object) -> pd.DataFrame:
    methods = ("sn", 18.0), ("sn", 19.0), ("wc[bound=0.1]", 40.0), ("gn", 15.0)
    return table(
        ({"method": method, "seed": seed, "fid": fid} for seed, (method, fid) in enumerate(methods)),
        **(OURS | changed),
    )


def test_every_number_of_the_same_data_and_network_stands_there_with_its_source() -> None:
    found = beside(runs(), SETTINGS)
    assert found is not None
    assert len(found) == 7
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
    found = beside(runs(steps=2000, samples=10_000), SETTINGS | {"train.batch_size": 64})
    assert found is not None
    told = dict(zip(found["reported as"].str[:20], found["differs in"], strict=True))
    assert told["SN, pytorch-gan-coll"] == "steps 100,000, not 2,000; batch 128, not 64; pictures 50,000, not 10,000"
    assert told["WC c = .1, pytorch-g"].startswith("loss wasserstein, not hinge; ")
    assert told["SN hinge, Miyato et "] == "pictures 5,000, not 10,000 (not stated: steps, critic steps, batch, split)"


def test_a_number_without_a_counterpart_stands_alone() -> None:
    found = beside(runs(), SETTINGS)
    assert found is not None
    alone = found[found["reported as"].str.startswith("GP")]
    assert len(alone) == 2
    assert set(alone["method"]) == set(alone["differs in"]) == {UNKNOWN}


@pytest.mark.parametrize(
    "changed", [{"dataset": "digits"}, {"architecture": "cnn-8"}, {"extractor": "digits-cnn@f50e5f19"}, {"fid": None}]
)
def test_other_data_networks_or_extractors_have_nothing_beside_them(changed: dict[str, object]) -> None:
    assert beside(runs().assign(**changed), SETTINGS) is None


def test_networks_that_are_built_otherwise_are_told() -> None:
    found = beside(runs(architecture="resnet-32"), SETTINGS)
    assert found is not None
    assert found["differs in"].str.contains("bilinear upsampling, sum pooling").any()


def test_every_published_number_has_a_source_and_a_value() -> None:
    found = reported()
    assert found["source"].str.contains(r"arXiv:\d|github\.com/").all()
    assert (found["fid"].notna() | found["inception_score"].notna()).all()


def test_what_is_not_known_of_ours_is_said() -> None:
    found = beside(runs().assign(loss=None, steps=None, samples=None, split=None), {})
    assert found is not None
    told = dict(zip(found["reported as"].str[:20], found["differs in"], strict=True))
    assert told["SN, pytorch-gan-coll"] == (
        "nothing known (of ours not known: loss, steps, critic steps, batch, pictures, split)"
    )
