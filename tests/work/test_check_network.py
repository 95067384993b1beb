"""What would go wrong with a network without a word is said before anything starts."""

import pytest
import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.work.check import check_network
from tests.work.cells import Heard

POINTS = torch.randn(4, 3)


class Kept(nn.Module):
    """Keeps a function that is bound to itself, and not to a copy."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.run = lambda x: self.layer(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)


class Listed(nn.Module):
    """Has layers in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.last = [nn.Linear(3, 5)], nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.layers[0](x))


class Counting(nn.Module):
    """Fades in by a number of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.seen = nn.Linear(3, 1), 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        return self.layer(x) * min(1.0, self.seen / 10)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Kept(), "a copy of the critic with other weights gives the same"),
        (Listed(), r"computes with 2 weights \(5 × 3, 5\) that belong to none of its modules"),
        (nn.Linear(3, 1).requires_grad_(False), "the critic has no weight that is trained"),
    ],
)
def test_weights_that_are_not_the_networks_own_are_refused(network: nn.Module, message: str) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(RequestError, match=message):
        check_network(network, "critic", POINTS, Heard())
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_a_number_that_changes_at_each_pass_is_told() -> None:
    heard = Heard()
    check_network(nn.Sequential(Counting()), "generator", POINTS, heard)
    assert any("The generator changes 0.seen at each pass, which no checkpoint holds" in note for note in heard.notes)


def test_a_usual_network_gives_nothing_to_say() -> None:
    heard = Heard()
    check_network(
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1)), "critic", POINTS, heard
    )
    assert heard.notes == []
