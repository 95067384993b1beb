"""The classifiers that come with lipbench."""

from typing import Any

import pytest
import torch

from lipbench.data.cifar10 import Cifar10
from lipbench.data.digits import Digits
from lipbench.data.fashion_mnist import FashionMnist
from lipbench.errors import RequestError
from lipbench.measuring.fidelity import Reference
from lipbench.plugins.kinds import EXTRACTOR
from lipbench.request.protocol import check, read
from tests.assets import CIFAR10, FASHION_MNIST, needs
from tests.builtin import features, plugin, scores

NAMES = ["digits-cnn", "cifar10-classifier", "fashion-classifier"]
COUNT = 500  # held-out pictures, and as many more


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_classifier_is_small_and_gives_features_and_logits_as_float32_in_eval_mode(name: str) -> None:
    extractor = plugin(EXTRACTOR, name)
    assert extractor.weights().stat().st_size < 600_000
    module = extractor.load()
    assert not any(part.training for part in module.modules())
    assert {part.dtype for part in module.state_dict().values() if part.is_floating_point()} == {torch.float32}
    found, logits = module(torch.zeros(3, *extractor.shape, dtype=torch.uint8))
    assert (found.shape, logits.shape) == ((3, extractor.features), (3, 10))
    assert found.min() >= 0


@pytest.mark.parametrize(
    ("name", "data", "right"),
    [
        ("digits-cnn", Digits(), 350),
        pytest.param("cifar10-classifier", Cifar10(), 400, marks=needs(CIFAR10)),
        pytest.param("fashion-classifier", FashionMnist(), 450, marks=needs(FASHION_MNIST)),
    ],
    ids=NAMES,
)
def test_it_is_right_about_pictures_it_never_saw_and_tells_them_from_noise(
    name: str, data: Any, right: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    extractor, pictures, (_, labels) = features(name), data.load().held_out, data.labels()
    real, labels = pictures[:COUNT], labels[:COUNT]
    assert (extractor.extract(real)["logits"].argmax(1) == labels).sum() >= right
    half = len(real) // 2
    noise = torch.randint(0, 256, (half, *real.shape[1:]), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    settings = check(read("digits"), {"evaluate.kid_subset_size": 100}).evaluate
    rest = Reference(real[half:], "the rest")
    near, far = (scores(fake, rest, extractor, settings) for fake in (real[:half], noise))
    assert near["fid"] is not None and far["fid"] is not None
    assert near["kid"] is not None and far["kid"] is not None
    assert near["fid"] < far["fid"] / 10
    assert near["kid"] < far["kid"] / 10


@pytest.mark.parametrize(
    ("name", "shape"),
    [("cifar10-classifier", (1, 32, 32)), ("cifar10-classifier", (3, 48, 48)), ("fashion-classifier", (3, 32, 32))],
)
def test_pictures_of_other_channels_or_sizes_are_refused(name: str, shape: tuple[int, int, int]) -> None:
    with pytest.raises(RequestError, match=rf"extractor {name} takes pictures of shape \(\d, 32, 32\), but mine has"):
        features(name).check_shape(shape, "mine")
