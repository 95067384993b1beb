"""The networks of the literature."""

import pytest
import torch
from torch import nn

from lipbench.errors import RequestError
from lipbench.nets.resnet_32 import Down
from lipbench.train.mixing import check_independent
from tests.builtin import networks

# As Wu et al. (arXiv:2109.02235) define all but the first, counted for three channels and 128 latent numbers.
COUNTS = {
    "cnn-8": (74_691, 41_761),
    "cnn-32": (3_813_379, 5_860_865),
    "cnn-48": (5_134_339, 5_871_105),
    "resnet-32": (4_276_739, 1_053_825),
    "resnet-48": (4_878_083, 4_859_073),
}


def side(name: str) -> int:
    return int(name.rpartition("-")[2])


@pytest.mark.parametrize("name", COUNTS)
def test_they_have_as_many_parameters_as_published(name: str) -> None:
    pair = networks(name, (3, side(name), side(name)), 128)
    assert tuple(sum(weight.numel() for weight in net.parameters()) for net in pair) == COUNTS[name]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", COUNTS)
def test_latents_become_pictures_and_pictures_one_number(name: str, channels: int) -> None:
    generator, critic = networks(name, (channels, side(name), side(name)), 128)
    pictures = generator(torch.randn(2, 128))
    assert pictures.shape == (2, channels, side(name), side(name))
    assert pictures.abs().max() <= 1
    assert critic(pictures).shape == (2, 1)
    check_independent(critic, pictures)


@pytest.mark.parametrize("name", COUNTS)
def test_no_critic_normalises_anything(name: str) -> None:
    _, critic = networks(name, (3, side(name), side(name)), 128)
    kinds = {type(layer) for layer in critic.modules()}
    assert not {kind for kind in kinds if "Norm" in kind.__name__}
    assert kinds & {nn.ReLU, nn.LeakyReLU}


@pytest.mark.parametrize("name", COUNTS)
def test_pictures_of_another_size_are_refused(name: str) -> None:
    with pytest.raises(RequestError, match=rf"{name} got pictures of 9×9; expected {side(name)}×{side(name)}"):
        networks(name, (1, 9, 9), 128)


def test_the_cnn_starts_from_a_normal_distribution_of_deviation_002_and_biases_0() -> None:
    for net in networks("cnn-32", (3, 32, 32), 128):
        for name, weight in net.named_parameters():
            if weight.dim() > 1:
                assert weight.std().item() == pytest.approx(0.02, rel=0.1), name
            elif "bias" in name:
                assert not weight.any(), name


def test_the_resnet_starts_from_kaimings_normal_distribution_and_biases_0() -> None:
    for net in networks("resnet-32", (3, 32, 32), 128):
        for layer in net.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                fan_in = layer.weight[0].numel()
                if layer.weight.numel() > 5000:
                    assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
                assert layer.bias is not None and not layer.bias.any()


def test_a_block_that_changes_nothing_has_the_identity_as_its_shortcut() -> None:
    block = Down(8, 8, halved=False, first=False)
    for weight in block.parameters():
        nn.init.zeros_(weight)
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(block(x), x)


def test_the_first_block_sees_pictures_as_they_are_and_pools_before_its_shortcuts_convolution() -> None:
    block = Down(1, 1, halved=True, first=True)
    for weight in block.parameters():
        nn.init.zeros_(weight)
    convolution = next(layer for layer in block.shortcut if isinstance(layer, nn.Conv2d))
    nn.init.ones_(convolution.weight)
    x = -torch.arange(4.0).reshape(1, 1, 2, 2)  # a ReLU would have made it 0
    assert block(x).item() == -1.5
    assert [type(layer) for layer in block.shortcut] == [nn.AvgPool2d, nn.Conv2d]
