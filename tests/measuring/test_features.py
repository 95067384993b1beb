"""An extractor's features: run in batches, named by the digest of its weights, and refused where they are not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench.errors import PluginError, RequestError, UnknownNameError
from lipbench.interfaces.extractor import Extractor
from lipbench.measuring.features import Features
from tests.builtin import features

PICTURES = torch.randint(0, 256, (150, 3, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, pictures: Tensor) -> Any:
        return self.function(pictures)


def channels(pictures: Tensor) -> Tensor:
    """Three features: the mean of each channel."""
    return pictures.float().mean((2, 3))


def features_of(function: Any, *, of: type[Extractor] = Extractor, **constants: Any) -> Features:
    """An extractor of three features that runs this function."""

    class Mine(of):  # type: ignore[valid-type, misc]
        def load(self) -> Any:
            return function if isinstance(function, nn.Module) or function is None else Function(function)

    for name, value in ({"features": 3} | constants).items():
        setattr(Mine, name, value)
    return Features(Mine(), "mine")


def test_pictures_are_run_in_batches_without_gradients_in_eval_mode() -> None:
    seen: list[int] = []

    def watched(pictures: Tensor) -> Tensor:
        assert pictures.is_contiguous()
        assert not torch.is_grad_enabled()
        seen.append(len(pictures))
        return channels(pictures)

    extractor = features_of(nn.Sequential(Function(watched), nn.Dropout(), nn.BatchNorm1d(3, affine=False)))
    del seen[:]
    found = extractor.extract(PICTURES)
    assert seen == [64, 64, 22]
    assert found.keys() == {"features"}
    assert torch.allclose(found["features"], channels(PICTURES), rtol=1e-4)


def test_one_channel_is_repeated_to_three_where_any_shape_will_do() -> None:
    grey = PICTURES[:, :1]
    found = features_of(channels).extract(grey)["features"]
    assert torch.equal(found, channels(grey).expand(-1, 3))


def test_logits_come_by_their_name_and_without_them_the_reason_is_said() -> None:
    pair = features_of(lambda pictures: (channels(pictures), pictures.flatten(1)[:, :5].double()))
    assert pair.no_score is None
    assert pair.extract(PICTURES)["logits"].shape == (150, 5)
    assert features_of(channels).no_score == (
        "No Inception Score: extractor mine gives features alone, and no logits of classes."
    )


def test_features_of_half_precision_are_widened() -> None:
    assert features_of(lambda pictures: channels(pictures).half()).extract(PICTURES)["features"].dtype == torch.float32


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: channels(x)[:, :2], r"gives features of the shape \(2, 2\) for 2 pictures; expected .*\(2, 3\)"),
        (lambda x: channels(x)[:1], r"gives features of the shape \(1, 3\) for 2 pictures; expected .*\(2, 3\)"),
        (lambda x: channels(x)[:, :, None], r"gives features of the shape \(2, 3, 1\) for 2 pictures; expected"),
        (lambda x: channels(x).mean(), r"gives features of the shape \(\) for 2 pictures; expected"),
        (lambda x: channels(x).long(), r"gives features of torch.int64 for 2 pictures; expected floating-point"),
        (lambda x: channels(x) / 0 * 0, "gives features that are NaN or infinite for 2 of 2 pictures; expected finite"),
        (lambda x: (channels(x), channels(x)[:1]), r"gives logits of the shape \(1, 3\) for 2 pictures; expected"),
        (lambda x: (channels(x),) * 3, "gives a tuple of 3 for 2 pictures; expected .* or a pair"),
        (lambda x: {"features": channels(x)}, "gives a dict for 2 pictures; expected"),
        (lambda x: None, r"gives nothing \(None\) for 2 pictures; expected"),
        (lambda x: channels(x) + torch.rand(()), "gives other features for a picture in a batch than .* by itself"),
        (lambda x: channels(x) - channels(x).mean(), "gives other features for a picture in a batch than .* by itself"),
        (lambda x: x[:, :, 40], r"runs on bytes of the shape \(2, 3, 32, 32\): IndexError: .*line \d+, .*shape = \(3"),
        (None, r"load of extractor mine returns nothing \(None\); expected a torch.nn.Module"),
    ],
)
def test_what_is_no_features_is_refused(function: Any, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        features_of(function)


@pytest.mark.parametrize(
    ("constants", "expected"),
    [
        ({"features": None}, "features of extractor mine is None; expected how many"),
        ({"features": "3"}, "features of extractor mine is '3'; expected how many"),
        ({"batch_size": 0}, "batch_size of extractor mine is 0; expected a whole number of pictures"),
        ({"shape": (3, 32)}, r"shape of extractor mine is \(3, 32\); expected channels, height and width"),
        ({"kid_gamma": -1.0}, "kid_gamma of extractor mine is -1.0; expected a number above 0, or None"),
        ({"seconds_per_picture": float("nan")}, "seconds_per_picture of extractor mine is nan; expected"),
    ],
)
def test_constants_that_cannot_be_meant_are_refused(constants: dict[str, Any], expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        features_of(channels, **constants)


def test_features_that_become_no_numbers_on_the_way_are_refused() -> None:
    extractor = features_of(lambda x: channels(x).masked_fill((channels(x) < 1).all(1, keepdim=True), torch.nan))
    with pytest.raises(PluginError, match="NaN or infinite for 1 of 64 pictures"):
        extractor.extract(torch.cat([PICTURES[:90], PICTURES[:1] * 0, PICTURES]))


def test_an_error_while_it_loads_is_said_with_its_line() -> None:
    class Broken(Extractor):
        features = 3

        def load(self) -> nn.Module:
            raise KeyError("weights")

    with pytest.raises(PluginError, match=r"mine fails while it loads: KeyError: 'weights' \(.*test_features.py, line"):
        Features(Broken(), "mine")


def test_the_id_is_that_of_the_weights_and_of_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"

    class Weighted(Extractor):
        features = 3

        def load(self) -> nn.Module:
            return Function(channels)

        def weights(self) -> Path:
            return path

    path.write_bytes(b"one")
    first = Features(Weighted(), "mine")
    assert first.id == "mine@7692c3ad"  # the SHA-256 of "one"
    own = {Features(Weighted(), "mine", version).id for version in ("a", "b")}
    path.write_bytes(b"other")
    assert len({first.id, Features(Weighted(), "mine").id, *own}) == 4
    path.unlink()
    with pytest.raises(PluginError, match="mine fails while it loads: FileNotFoundError"):
        Features(Weighted(), "mine")


def test_without_a_file_of_weights_the_id_is_that_of_the_state_and_drawn_weights_are_always_the_same() -> None:
    class Drawn(Extractor):
        features = 3
        bias: bool = False

        def load(self) -> nn.Module:
            return nn.Sequential(Function(channels), nn.Linear(3, 3, bias=self.bias))

    before = torch.get_rng_state()
    first, again, other = (Features(Drawn(bias=bias), "mine") for bias in (False, False, True))
    assert torch.equal(torch.get_rng_state(), before)
    assert first.id == again.id != other.id
    assert torch.equal(first.extract(PICTURES)["features"], again.extract(PICTURES)["features"])


def test_tensors_that_are_in_no_state_dict_are_in_the_id() -> None:
    def held(value: float, *, as_buffer: bool) -> Features:
        network = Function(channels)
        if as_buffer:
            network.register_buffer("factor", torch.tensor(value), persistent=False)
        else:
            network.factor = torch.tensor(value)
        return features_of(network)

    for as_buffer in (False, True):
        first, again, other = (held(value, as_buffer=as_buffer).id for value in (1.0, 1.0, 2.0))
        assert first == again != other


def test_pictures_that_an_extractor_cannot_take_are_refused() -> None:
    with pytest.raises(RequestError, match=r"takes pictures of shape \(1, 8, 8\), but x has \(3, 32, 32\)"):
        features("digits-cnn").check_shape((3, 32, 32), "x")
    with pytest.raises(RequestError, match="x has 2 channels; extractor mine expects 1 or 3"):
        features_of(channels).check_shape((2, 32, 32), "x")


def test_an_unknown_extractor_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'digits-cnn'"):
        features("digits")
