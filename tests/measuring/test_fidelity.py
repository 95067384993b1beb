"""FID, KID and Inception Score."""

import string
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipbench.data.digits import Digits
from lipbench.interfaces.extractor import Extractor
from lipbench.measuring import fidelity
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Reference
from lipbench.request.protocol import check, read
from lipbench.request.schema import Evaluate
from tests.builtin import features, scores

PICTURES = Digits().load()
REFERENCE = Reference(PICTURES.train, "digits-train")


def settings(**changes: Any) -> Evaluate:
    return check(read("digits"), {f"evaluate.{key}": value for key, value in changes.items()}).evaluate


class Plain(Extractor):
    """Two numbers hidden in each picture, so that the features are Gaussian by construction."""

    features = 2
    batch_size = 500
    shape = (1, 1, 2)

    def load(self) -> nn.Module:
        return HiddenNumbers()


class HiddenNumbers(nn.Module):
    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.flatten(1).float()[:, :2]


def gaussian(mean: tuple[float, float], deviation: tuple[float, float], seed: int, count: int = 60_000) -> Tensor:
    numbers = np.random.default_rng(seed).normal(mean, deviation, (count, 2)).round().clip(0, 255)
    return torch.from_numpy(numbers.astype(np.uint8)).reshape(count, 1, 1, 2)


def test_the_fid_of_two_sets_of_gaussian_features_is_that_of_the_closed_form() -> None:
    extractor = Features(Plain(), "plain")
    first = gaussian((100, 120), (10, 20), seed=0)
    second = gaussian((104, 117), (16, 12), seed=1)
    found = scores(first, Reference(second, "gaussian"), extractor, settings(kid_subsets=2))
    closed = (104 - 100) ** 2 + (120 - 117) ** 2 + (10 - 16) ** 2 + (20 - 12) ** 2
    assert found["fid"] == pytest.approx(closed, rel=0.02)


def test_real_pictures_against_themselves_have_fid_0() -> None:
    found = scores(PICTURES.train, REFERENCE, features("digits-cnn"), settings())
    assert found["fid"] == pytest.approx(0, abs=1e-3)
    assert found["inception_score"] > 9


def test_noise_is_far_from_real_pictures_by_every_measure() -> None:
    noise = torch.randint(0, 256, (600, 1, 8, 8)).to(torch.uint8)
    found = scores(noise, REFERENCE, features("digits-cnn"), settings())
    assert found["fid"] > 500
    assert found["kid"] > 0.5
    assert found["inception_score"] < 6


def test_a_second_evaluation_takes_the_real_pictures_statistics_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = features("digits-cnn")
    first = scores(PICTURES.held_out, REFERENCE, extractor, settings(kid_subset_size=300))
    asked = []
    extract = Features.extract
    monkeypatch.setattr(Features, "extract", lambda self, x, **how: asked.append(len(x)) or extract(self, x, **how))
    assert scores(PICTURES.held_out, REFERENCE, extractor, settings(kid_subset_size=300)) == first
    assert asked == [fidelity.TRIED, len(PICTURES.held_out)]


def test_features_of_a_network_that_has_changed_unseen_are_measured_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path))
    said = list[str]()
    reference, found = Reference(gaussian((90, 90), (9, 9), 0, 50), "numbers"), []
    for offset in (0, 0, 20):
        monkeypatch.setattr(HiddenNumbers, "forward", lambda _, x, by=offset: x.flatten(1).float()[:, :2] + by)
        found.append(fidelity.measure_real(reference, Features(Plain(), "plain"), note=said.append))
    assert len(said) == 2
    assert np.array_equal(found[0].features["features"], found[1].features["features"])
    assert np.array_equal(found[2].features["features"], found[0].features["features"] + 20)
    assert np.allclose(found[2].moments["mu"], found[0].moments["mu"] + 20)


def test_features_of_other_pictures_under_the_right_name_are_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path))
    extractor, said = features("digits-cnn"), list[str]()
    right = fidelity.measure_real(REFERENCE, extractor, note=said.append)
    other = Reference(PICTURES.train.flip(3), "digits-train")
    fidelity.measure_real(other, extractor, note=said.append)
    assert not said
    for ending in (".npz", "-moments.npz"):
        foreign, own = (tmp_path / "features" / f"{each.cache_name(extractor)}{ending}" for each in (other, REFERENCE))
        foreign.replace(own)
    again = fidelity.measure_real(REFERENCE, extractor, note=said.append)
    assert len(said) == 2
    assert np.array_equal(again.features["features"], right.features["features"])
    assert np.array_equal(again.moments["sigma"], right.moments["sigma"])


def test_the_cache_name_changes_with_the_pictures_the_weights_and_the_parameters() -> None:
    extractor = features("digits-cnn")
    other = PICTURES.train.clone()
    other[0] = 0
    renamed = [copy(extractor) for _ in range(4)]
    for each, tag in zip(renamed, ["@12345678", "[k=1]@12345678", "[k=-1]@12345678", f"[{'k' * 99}=1]@1"], strict=True):
        each.id = f"digits-cnn{tag}"
    names = {
        REFERENCE.cache_name(extractor),
        Reference(other, "digits-train").cache_name(extractor),
        *(REFERENCE.cache_name(each) for each in renamed),
    }
    assert len(names) == 6
    assert all(set(name) <= set(string.ascii_letters + string.digits + "-.") and len(name) < 160 for name in names)
    assert REFERENCE.cache_name(renamed[0]) == f"digits-train-{REFERENCE.digest}-digits-cnn-12345678"
