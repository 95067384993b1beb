"""Critics that mix the samples of a batch are found, and the layer that does it."""

import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from lipbench.errors import RequestError
from lipbench.train.mixing import check_independent, mixer

POINTS = torch.randn(4, 1, 4, 4, generator=torch.Generator().manual_seed(0))


class MinibatchStdDev(nn.Module):
    """The spread of the batch as one more feature."""

    def __init__(self, *, detached: bool = False) -> None:
        super().__init__()
        self.detached = detached

    def forward(self, x: Tensor) -> Tensor:
        spread = x.std(0).mean().expand(len(x), 1)
        return torch.cat([x, spread.detach() if self.detached else spread], 1)


class Centred(nn.Module):
    """Takes the batch's mean away, by no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)
        out: Tensor = self.last(flat - flat.mean(0))
        return out


class Gain(nn.Module):
    """A branch behind a learned gain that is 0 at the start."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch, self.gain = branch, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.gain * self.branch(x)
        return out


class Single(nn.Module):
    """Runs in float32 alone."""

    def forward(self, x: Tensor) -> Tensor:
        assert x.dtype == torch.float32
        return x


class Chance(nn.Module):
    """Draws from Python's and from torch's random numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return x + random.random() + torch.randn_like(x)


def zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    return layer


def ending(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 1))


@pytest.mark.parametrize(
    ("critic", "culprit"),
    [
        (ending(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)), "a BatchNorm2d, layer '1'"),
        (ending(nn.BatchNorm2d(1, affine=False)), "a BatchNorm2d, layer '0'"),
        (ending(nn.BatchNorm2d(1, track_running_stats=False)).eval(), "a BatchNorm2d, layer '0'"),
        (nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), zero(nn.Linear(16, 1))), "a BatchNorm1d, layer '1'"),
        (ending(nn.InstanceNorm2d(1), Gain(nn.BatchNorm2d(1))), "a BatchNorm2d, layer '1.branch'"),
        (nn.Sequential(nn.Flatten(), MinibatchStdDev(), nn.BatchNorm1d(17), nn.Linear(17, 1)),
         "a MinibatchStdDev, layer '1'"),
        (nn.Sequential(nn.Flatten(), MinibatchStdDev(detached=True), nn.Linear(17, 1)), "a MinibatchStdDev, layer '1'"),
        (Centred(), "Centred itself"),
        (ending(nn.Sequential(nn.ReLU(), Centred(), nn.Linear(1, 16))), "a Centred, layer '0.1'"),
        (ending(Single(), nn.BatchNorm2d(1)), "a BatchNorm2d, layer '1'"),
        (ending(Chance(), nn.BatchNorm2d(1)), "a BatchNorm2d, layer '1'"),
        (ending(nn.Dropout(), parametrizations.spectral_norm(nn.Conv2d(1, 1, 1)), nn.BatchNorm2d(1)),
         "a BatchNorm2d, layer '2'"),
    ],
)  # fmt: skip
def test_a_critic_that_mixes_samples_is_refused_and_the_layer_named(critic: nn.Module, culprit: str) -> None:
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    assert mixer(critic, POINTS) == culprit
    with pytest.raises(RequestError) as caught:
        check_independent(critic, POINTS)
    assert f"(by {culprit}), so a gradient norm per sample has no meaning" in str(caught.value)
    torch.testing.assert_close(critic.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    "critic",
    [
        ending(nn.InstanceNorm2d(1, track_running_stats=True), nn.GroupNorm(1, 1), nn.Dropout()),
        ending(nn.LayerNorm(4), parametrizations.spectral_norm(nn.Conv2d(1, 1, 1))),
        ending(Single(), Chance()),
    ],
)
def test_what_looks_at_one_sample_alone_does_not_mix(critic: nn.Module) -> None:
    check_independent(critic, POINTS)


@pytest.mark.parametrize("mix", [lambda x: x.cumsum(0), lambda x: x.flip(0).cumsum(0).flip(0)])
def test_samples_that_see_only_those_before_or_after_them_are_mixed(mix: Callable[[Tensor], Tensor]) -> None:
    class Mixing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return mix(x)

    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), Mixing(), nn.ReLU(), nn.Linear(3, 1))
    assert mixer(critic, torch.randn(4, 1, 2, 2)) == "a Mixing, layer '2'"
