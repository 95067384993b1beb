"""The Inception network of published FIDs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lipbench.data.cifar10 import Cifar10
from lipbench.errors import RequestError
from lipbench.measuring.fidelity import Reference
from lipbench.request import protocol
from tests.assets import CIFAR10, INCEPTION, needs
from tests.builtin import features, scores

SETTINGS = protocol.read("cifar10-cnn")


@needs(INCEPTION)
@needs(CIFAR10)
@pytest.mark.slow
def test_256_training_pictures_against_256_test_pictures_have_the_known_fid_and_kid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The known answer of torch-fidelity's own smoke test; KID's draws depend on the order of the files."""
    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(INCEPTION))
    pictures = Cifar10().load()
    fake, real = (
        part[np.sort(np.random.RandomState(2020).choice(len(part), 256, replace=False))]
        for part in (pictures.train, pictures.held_out)
    )
    settings = protocol.check(SETTINGS, {"evaluate.kid_subset_size": 64}).evaluate
    found = scores(fake, Reference(real, "known-answer"), features("inception-v3-compat"), settings)
    assert found["fid"] == pytest.approx(110.28083, abs=1e-3)
    assert found["kid"] == pytest.approx(-0.00067925, abs=1e-6)
    assert found["kid_std"] == pytest.approx(0.0017778, abs=1e-6)
    assert found["inception_score"] is None


@needs(INCEPTION)
def test_weights_whose_last_layer_is_empty_give_no_inception_score_and_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(INCEPTION))
    extractor = features("inception-v3-compat")
    assert "last layer of the Inception weights is empty" in (extractor.no_score or "")
    assert extractor.id == "inception-v3-compat@3d84d5d0"


@needs(INCEPTION)
def test_weights_with_a_last_layer_give_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(INCEPTION, weights_only=True)
    torch.nn.init.normal_(state["fc.weight"], std=0.05, generator=torch.Generator().manual_seed(0))
    torch.save(state, tmp_path / "whole.pth")
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(tmp_path / "whole.pth"))
    extractor = features("inception-v3-compat")
    assert extractor.no_score is None
    settings = protocol.check(SETTINGS, {"evaluate.kid_subset_size": 2, "evaluate.isc_splits": 1}).evaluate
    pictures = torch.randint(0, 256, (4, 1, 32, 32)).to(torch.uint8)
    found = scores(pictures, Reference(pictures, "grey-noise"), extractor, settings)
    assert found["inception_score"] is not None
    assert 1 < found["inception_score"] <= 4


@needs(INCEPTION)
def test_grey_pictures_are_seen_as_three_equal_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(INCEPTION))
    extractor = features("inception-v3-compat")
    settings = protocol.check(SETTINGS, {"evaluate.kid_subset_size": 2}).evaluate
    grey = torch.randint(0, 256, (4, 1, 32, 32)).to(torch.uint8)
    found = scores(grey, Reference(grey.expand(-1, 3, -1, -1), "coloured-noise"), extractor, settings)
    assert found["fid"] == pytest.approx(0, abs=1e-3)


@needs(INCEPTION)
@pytest.mark.parametrize("damage", ["shape", "missing", "truncated", "text"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.pth"
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(path))
    state = torch.load(INCEPTION, weights_only=True)
    expected = {
        "shape": r"size mismatch for Conv2d_1a_3x3.conv.weight: .*\[32, 1, 3, 3\]",
        "missing": 'Missing key.* "fc.bias"',
        "truncated": "",
        "text": "",
    }[damage]
    if damage == "shape":
        state["Conv2d_1a_3x3.conv.weight"] = state["Conv2d_1a_3x3.conv.weight"][:, :1]
    elif damage == "missing":
        del state["fc.bias"]
    torch.save(state, path)
    if damage == "truncated":
        path.write_bytes(INCEPTION.read_bytes()[:1000])
    elif damage == "text":
        path.write_text("weights")
    with pytest.raises(RequestError, match=rf"weights.pth' \(.* bytes\) cannot be used: .*{expected}.*; expected the"):
        features("inception-v3-compat")


def test_weights_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(tmp_path / "nowhere.pth"))
    with pytest.raises(RequestError, match=r"nowhere.pth': No such file or directory; expected .*--inception-weights"):
        features("inception-v3-compat")


def test_without_weights_and_network_the_message_says_what_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, path: str, hash_prefix: str) -> None:
        assert url.endswith(f"{hash_prefix}.pth")
        raise OSError("Name or service not known")

    monkeypatch.delenv("LIPBENCH_INCEPTION", raising=False)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(RequestError, match=r"cannot be downloaded \(Name or service not known\).*LIPBENCH_INCEPTION"):
        features("inception-v3-compat")
