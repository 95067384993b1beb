"""The classifier of stacked digits."""

import pytest
import torch

from lipbench.data.stacked_digits import StackedDigits
from lipbench.errors import RequestError
from tests.builtin import features

PICTURES = StackedDigits(count=500).load()
STACKED, SINGLE = features("stacked-digits-cnn"), features("digits-cnn")
FOUND = STACKED.extract(PICTURES.held_out)
CHANNELS = [SINGLE.extract(channel[:, None]) for channel in PICTURES.held_out.unbind(dim=1)]


def test_its_features_are_those_of_the_three_channels_side_by_side() -> None:
    assert FOUND["features"].shape == (100, 192)
    expected = torch.cat([channel["features"] for channel in CHANNELS], dim=1)
    torch.testing.assert_close(FOUND["features"], expected)


def test_the_probability_of_a_triple_is_the_product_of_those_of_its_digits() -> None:
    one, two, three = (channel["logits"].double().softmax(dim=1) for channel in CHANNELS)
    product = torch.einsum("na,nb,nc->nabc", one, two, three).flatten(1)
    torch.testing.assert_close(FOUND["logits"].double().softmax(dim=1), product, rtol=1e-4, atol=1e-7)


def test_its_classes_are_the_modes_of_the_data() -> None:
    assert PICTURES.modes is not None
    assert torch.equal(FOUND["logits"].argmax(dim=1), PICTURES.modes.of(PICTURES.held_out))


def test_its_id_says_that_its_weights_are_those_of_the_classifier_of_digits() -> None:
    assert STACKED.id == SINGLE.id.replace("digits-cnn", "stacked-digits-cnn")


def test_kid_sees_inner_products_of_about_1_and_not_their_third_powers_alone() -> None:
    assert STACKED.kid_gamma == pytest.approx(1 / (192 * 64))
    mean_square = float(STACKED.extract(PICTURES.train)["features"].square().mean())
    assert 192 * mean_square * (STACKED.kid_gamma or 0) == pytest.approx(1, rel=0.1)


def test_single_digits_are_refused() -> None:
    with pytest.raises(RequestError, match=r"stacked-digits-cnn takes pictures of shape \(3, 8, 8\), but digits has"):
        STACKED.check_shape((1, 8, 8), "digits")
