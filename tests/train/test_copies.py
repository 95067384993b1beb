"""Copies of networks."""

import torch
from torch import Tensor, nn

from lipbench.train.copies import copied


class Remade(nn.Module):
    """Makes its weight at each pass and keeps it, as many projects write spectral normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.raw = nn.Parameter(self.layer.weight.data)
        del self.layer._parameters["weight"]

    def forward(self, x: Tensor) -> Tensor:
        self.layer.weight = self.raw / self.raw.norm()
        out: Tensor = self.layer(x)
        return out


def test_a_network_that_keeps_a_tensor_with_a_history_is_copied_after_a_pass() -> None:
    network, points = Remade(), torch.randn(3, 4)
    before = network(points)
    copy = copied(network)
    torch.testing.assert_close(copy(points), before)
    with torch.no_grad():
        copy.raw.mul_(-1)
    torch.testing.assert_close(network(points), before)
    torch.testing.assert_close(copy(points) - copy.layer.bias, -(before - network.layer.bias))
