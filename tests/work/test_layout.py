"""The order of a critic's numbers in memory."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.plugins import kinds, registry
from lipbench.plugins.names import Name
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.streams import global_state
from lipbench.work.layout import lay_out, memory_format, of_critic, of_generator

SHAPE = (3, 32, 32)


class Viewing(nn.Module):
    """Flattens by ``view``, as most published critics do."""

    def __init__(self, side: int = 32) -> None:
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 4, 4, 4), nn.Linear(side**2 // 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        out: Tensor = self.out(h.view(len(h), -1))
        return out


class ViewingItsWeight(nn.Module):
    """Standardises its weight by way of ``view``."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        flat = self.weight.view(4, -1)
        return nn.functional.conv2d(x, (flat / flat.norm(dim=1, keepdim=True)).view(4, 3, 4, 4)).mean((1, 2, 3))


class Strided(Viewing):
    """Goes by how numbers lie, so that another layout makes another function of it, without an error."""

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv(x)
        out: Tensor = self.out(h.as_strided((len(h), 256), (256, 1)).relu())
        return out


class ViewingMethod(Method):
    def project(self, critic: nn.Module) -> None:
        for weight in critic.parameters():
            weight.view(-1).clamp_(-1, 1)


def plain() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(256, 1))


def find(name: str) -> Method:
    return registry.instance(registry.find(kinds.METHOD, Name(name)), {})


def drawn() -> dict[str, Any]:
    """The global random states but Python's, from which the checks of types draw."""
    return {name: value for name, value in global_state().items() if "python" not in name}


def laid_out(critic: nn.Module, method: Method) -> str:
    composition = Composition((method,))
    return memory_format(lay_out(composition.constrain(critic), SHAPE, of_critic(composition, torch.randn(4, *SHAPE))))


@pytest.mark.parametrize("name", ["none", "wc", "sn", "gp", "gn"])
def test_a_critic_that_bears_it_has_its_channels_last(name: str) -> None:
    assert laid_out(plain(), find(name)) == "channels-last"


@pytest.mark.parametrize("name", ["none", "wc", "gp", "gn"])
@pytest.mark.parametrize("make", [Viewing, ViewingItsWeight, Strided])
def test_a_critic_or_a_method_that_does_not_keeps_the_layout_it_came_in(make: type[nn.Module], name: str) -> None:
    assert laid_out(make(), find(name)) == "contiguous"
    assert laid_out(plain(), ViewingMethod()) == "contiguous"


def test_three_sweeps_are_proven_in_the_layout_that_was_kept() -> None:
    critic = lay_out(Viewing(), SHAPE, of_critic(Composition((find("gn"),)), torch.randn(4, *SHAPE)))
    assert choose(critic, SHAPE).name == "three-sweep"


def test_small_pictures_are_left_as_they_are() -> None:
    critic = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Flatten(), nn.Linear(36, 1))
    attempt = of_critic(Composition((find("gn"),)), torch.randn(4, 3, 7, 7))
    assert memory_format(lay_out(critic, (3, 7, 7), attempt)) == "contiguous"


def test_a_generator_that_bears_it_has_its_channels_last() -> None:
    def upwards() -> nn.Sequential:
        return nn.Sequential(nn.Linear(5, 64), nn.Unflatten(1, (4, 4, 4)), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Tanh())

    viewing = nn.Sequential(upwards(), Viewing(8), nn.Unflatten(1, (1, 1, 1)), nn.Upsample(8))
    found = [memory_format(lay_out(each, (3, 8, 8), of_generator(torch.randn(4, 5)))) for each in (upwards(), viewing)]
    assert found == ["channels-last", "contiguous"]


def test_trying_a_layout_moves_neither_buffers_nor_random_states() -> None:
    composition = Composition((find("sn"),))
    critic = composition.constrain(plain())
    before, state = {key: value.clone() for key, value in critic.state_dict().items()}, drawn()
    lay_out(critic, SHAPE, of_critic(composition, torch.randn(4, *SHAPE, generator=torch.Generator())))
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(drawn(), state, rtol=0, atol=0)
