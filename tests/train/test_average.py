"""The averaged generator."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from lipbench.measuring.critic import settled
from lipbench.train.average import Average
from lipbench.work.adopt import adopt


class Fading(nn.Module):
    """Has a buffer that is no statistic, and a frozen weight that its own code moves."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.zeros(()))
        self.u = nn.Parameter(torch.zeros(()), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor * self.u


def test_weights_and_running_statistics_are_averaged_and_all_else_is_copied() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), Fading())
    average = Average(net, 0.75)
    for value in (1.0, 2.0):
        with torch.no_grad():
            for tensor in (net[0].weight, net[1].running_mean, net[1].running_var, net[2].factor, net[2].u):
                assert isinstance(tensor, Tensor)
                tensor.fill_(value)
            net[1].num_batches_tracked.fill_(int(value))  # type: ignore[union-attr, operator]  # a batch normalisation's
        average.update()
    state = {name: value.unique().tolist() for name, value in average.module.state_dict().items()}
    assert state["0.weight"] == state["1.running_mean"] == state["1.running_var"] == [1.25]
    assert state["2.factor"] == state["2.u"] == state["1.num_batches_tracked"] == [2]


def old(layer: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.spectral_norm(layer)


@pytest.mark.parametrize("normalise", [parametrizations.spectral_norm, old])
def test_an_averaged_layer_under_spectral_normalisation_has_norm_1(normalise: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    net = adopt(
        nn.Sequential(normalise(nn.Linear(8, 32)), nn.ReLU(), normalise(nn.Linear(32, 16))),
        "generator",
        torch.randn(4, 8),
    )
    average = Average(net, 0.99)
    adam = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(300):
        adam.zero_grad()
        net(torch.randn(16, 8)).sub(1).square().mean().backward()
        adam.step()
        average.update()
    ready = settled(average.module)
    for layer in (ready[0], ready[2]):  # type: ignore[index]  # a Sequential
        assert float(torch.linalg.matrix_norm(layer.weight, 2)) == pytest.approx(1, abs=1e-3)


def test_a_buffer_that_the_network_replaces_is_followed() -> None:
    net = Fading()
    average = Average(net, 0.5)
    for value in (1.0, 2.0, 3.0):
        net.factor = torch.tensor(value)
        average.update()
        assert float(average.module.factor) == value  # type: ignore[arg-type]  # a tensor
