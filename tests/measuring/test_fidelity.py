"""FID, KID and Inception Score."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from torch import Tensor, nn

from lipbench.data.digits import Digits
from lipbench.errors import UnknownNameError
from lipbench.measuring import extractors, fidelity
from lipbench.measuring.digits_cnn import WEIGHTS, DigitsClassifier
from lipbench.measuring.extractors import Extractor
from lipbench.measuring.fidelity import Reference
from lipbench.request.protocol import check, read
from lipbench.request.schema import Evaluate

PICTURES = Digits().load()
REFERENCE = Reference(PICTURES.train, "digits-train")


def settings(**changes: Any) -> Evaluate:
    return check(read("digits"), {f"evaluate.{key}": value for key, value in changes.items()}).evaluate


class Plain(torch_fidelity.FeatureExtractorBase):  # type: ignore[misc]  # torch-fidelity has no types
    """Two numbers hidden in each picture, so that the features are Gaussian by construction."""

    def __init__(self, name: str, features_list: list[str], **_: Any) -> None:
        super().__init__(name, features_list)

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        return tuple(pictures.flatten(1).float()[:, :2] for _ in self.features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("features", "logits")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "features"


def gaussian(mean: tuple[float, float], deviation: tuple[float, float], seed: int, count: int = 60_000) -> Tensor:
    numbers = np.random.default_rng(seed).normal(mean, deviation, (count, 2)).round().clip(0, 255)
    return torch.from_numpy(numbers.astype(np.uint8)).reshape(count, 1, 1, 2)


def test_the_fid_of_two_sets_of_gaussian_features_is_that_of_the_closed_form() -> None:
    torch_fidelity.register_feature_extractor("plain", Plain)
    extractor = Extractor("plain", WEIGHTS, features=2, batch_size=500, shape=(1, 1, 2))
    first = gaussian((100, 120), (10, 20), seed=0)
    second = gaussian((104, 117), (16, 12), seed=1)
    found = fidelity.fidelity(first, Reference(second, "gaussian"), extractor, settings(kid_subsets=2))
    closed = (104 - 100) ** 2 + (120 - 117) ** 2 + (10 - 16) ** 2 + (20 - 12) ** 2
    assert found["fid"] == pytest.approx(closed, rel=0.02)


def test_real_pictures_against_themselves_have_fid_0() -> None:
    found = fidelity.fidelity(PICTURES.train, REFERENCE, extractors.find("digits-cnn"), settings())
    assert found["fid"] == pytest.approx(0, abs=1e-3)
    assert found["inception_score"] > 9


def test_noise_is_far_from_real_pictures_by_every_measure() -> None:
    noise = torch.randint(0, 256, (600, 1, 8, 8)).to(torch.uint8)
    found = fidelity.fidelity(noise, REFERENCE, extractors.find("digits-cnn"), settings())
    assert found["fid"] > 500
    assert found["kid"] > 0.5
    assert found["inception_score"] < 6


def test_a_second_evaluation_takes_the_real_pictures_statistics_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = extractors.find("digits-cnn")
    first = fidelity.fidelity(PICTURES.held_out, REFERENCE, extractor, settings(kid_subset_size=300))
    asked = []
    get = fidelity._Bytes.__getitem__
    monkeypatch.setattr(fidelity._Bytes, "__getitem__", lambda self, index: asked.append(self) or get(self, index))
    assert fidelity.fidelity(PICTURES.held_out, REFERENCE, extractor, settings(kid_subset_size=300)) == first
    assert {len(pictures) for pictures in asked} == {len(PICTURES.held_out)}


def test_features_of_other_pictures_under_the_right_name_are_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path))
    extractor, said = extractors.find("digits-cnn"), list[str]()
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


def test_the_cache_name_changes_with_the_pictures_and_the_weights(tmp_path: Any) -> None:
    extractor = extractors.find("digits-cnn")
    other = PICTURES.train.clone()
    other[0] = 0
    weights = tmp_path / "other.pt"
    weights.write_bytes(b"other")
    names = {
        REFERENCE.cache_name(extractor),
        Reference(other, "digits-train").cache_name(extractor),
        REFERENCE.cache_name(replace(extractor, weights=weights)),
    }
    assert len(names) == 3
    assert all("/" not in name for name in names)


def test_the_shipped_classifier_is_small_and_right_about_digits_it_never_saw() -> None:
    from sklearn.datasets import load_digits

    from lipbench.interfaces.dataset import to_unit

    assert WEIGHTS.stat().st_size < 300_000
    classifier: nn.Module = DigitsClassifier()
    classifier.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    labels = torch.from_numpy(load_digits().target)
    held_out = torch.arange(len(labels)) % 5 == 4
    guessed = classifier(to_unit(PICTURES.held_out))[1].argmax(1)
    assert (guessed == labels[held_out]).sum() == 350


def test_an_unknown_extractor_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'digits-cnn'"):
        extractors.find("digits")
