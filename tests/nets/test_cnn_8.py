"""The small pair, and finding architectures."""

import pytest
import torch

from lipbench.errors import RequestError, UnknownNameError
from lipbench.train.mixing import check_independent
from tests.builtin import networks


@pytest.mark.parametrize("channels", [1, 3])
def test_the_pair_maps_latents_to_pictures_and_pictures_to_one_number(channels: int) -> None:
    generator, critic = networks("cnn-8", (channels, 8, 8), 64)
    pictures = generator(torch.randn(5, 64))
    assert pictures.shape == (5, channels, 8, 8)
    assert pictures.abs().max() <= 1
    assert critic(pictures).shape == (5, 1)
    check_independent(critic, pictures)


def test_its_sizes_are_known() -> None:
    counts = [sum(weight.numel() for weight in net.parameters()) for net in networks("cnn-8", (1, 8, 8), 64)]
    assert counts == [58_017, 41_473]


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(RequestError, match="got pictures of 32×32; expected 8×8"):
        networks("cnn-8", (3, 32, 32), 64)


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'cnn-8'"):
        networks("cnn8", (1, 8, 8), 64)
