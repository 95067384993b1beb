"""Known answers for the methods that shape the critic's layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lipbench import nets
from lipbench.errors import RequestError
from lipbench.measure.critic import settled
from lipbench.nets.maxmin import MaxMin
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import values_and_norms
from tests.methods.test_methods import create, linear, piecewise


def perceptron(dim: int = 6) -> nn.Module:
    return nets.find("mlp")((dim, 1, 1), dim)[1]


def trained(critic: nn.Module) -> nn.Module:
    """Far from where it began."""
    adam = torch.optim.Adam(critic.parameters(), 0.1)
    for _ in range(5):
        loss = critic(torch.randn(16, 6, 1, 1)).square().mean()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch is typed in part
        adam.step()
    return critic


def weights(critic: nn.Module) -> list[Tensor]:
    return [layer.weight.detach() for layer in critic.modules() if isinstance(layer, nn.Linear)]


def test_every_layer_of_an_orthogonal_critic_is_orthogonal_before_and_after_training() -> None:
    critic = create("ortho").constrain(perceptron())
    for _ in range(2):
        for weight in weights(critic):
            gram = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
            torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)
        trained(critic)


def test_a_wider_orthogonal_layer_keeps_every_length() -> None:
    first = weights(trained(create("ortho").constrain(perceptron())))[0]
    points = torch.randn(32, first.shape[1])
    torch.testing.assert_close((points @ first.T).norm(dim=1), points.norm(dim=1), atol=1e-5, rtol=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(0.01, 100))
def test_an_orthogonal_critic_is_nowhere_steeper_than_1(seed: int, spread: float) -> None:
    torch.manual_seed(seed)
    critic = create("ortho").constrain(perceptron())
    with torch.no_grad():
        for weight in critic.parameters():
            weight.add_(0.5 * torch.randn_like(weight))
    points = spread * torch.randn(64, 6, 1, 1)
    assert values_and_norms(critic, points)[1].max() <= 1 + 1e-5
    values = critic(points)[:, 0]
    rise, run = (values[:, None] - values).abs(), torch.cdist(points.flatten(1), points.flatten(1))
    assert (rise <= run * (1 + 1e-4) + 1e-4 * spread).all()


def test_rectifiers_become_maxmin_wherever_they_are() -> None:
    class Nested(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(0.1))
            self.activation, self.last = nn.ReLU(), nn.Linear(4, 1)

        def forward(self, points: Tensor) -> Tensor:
            return self.last(self.activation(self.inner(points.flatten(1))))  # type: ignore[no-any-return]  # a module's call has no type

    critic = create("ortho").constrain(Nested())
    assert not any(isinstance(layer, nn.ReLU | nn.LeakyReLU) for layer in critic.modules())
    assert sum(isinstance(layer, MaxMin) for layer in critic.modules()) == 2
    assert critic(torch.randn(3, 2, 1, 1)).shape == (3, 1)


def test_a_layer_that_cannot_be_made_orthogonal_is_refused_with_the_cure() -> None:
    with pytest.raises(RequestError, match="ortho got a critic with Conv2d.*--set architecture=mlp, or --protocol w1"):
        create("ortho").constrain(piecewise())
    with pytest.raises(RequestError, match="ortho got a critic with LayerNorm"):
        create("ortho").constrain(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)))


@pytest.mark.parametrize("size", [(2, 2), (2,), ()])
def test_a_parameter_beside_linear_layers_cannot_be_made_orthogonal_either(size: tuple[int, ...]) -> None:
    class Holding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.own = nn.Linear(2, 2), nn.Parameter(torch.ones(size))

        def forward(self, points: Tensor) -> Tensor:
            return self.inner(points * self.own)  # type: ignore[no-any-return]  # a module's call has no type

    with pytest.raises(RequestError, match="ortho got a critic with Holding, for which it cannot vouch"):
        create("ortho").constrain(nn.Sequential(Holding(), nn.Linear(2, 1)))


def test_clipping_can_leave_the_biases_as_they_are() -> None:
    for biases, expected in ((True, 0.05), (False, 3.0)):
        critic = linear(torch.tensor([1.0, -2.0]))
        with torch.no_grad():
            critic[1].bias.fill_(3.0)
        Composition((create("wc", biases=biases),)).project(critic)
        assert critic[1].weight.tolist() == [pytest.approx([0.05, -0.05])]
        assert critic[1].bias.tolist() == [pytest.approx(expected)]


def test_more_power_iterations_are_nearer_to_the_true_norm() -> None:
    errors = []
    for iterations in (1, 5):
        torch.manual_seed(0)
        critic = create("sn", iterations=iterations).constrain(nn.Sequential(nn.Linear(40, 40)))
        with torch.no_grad():
            critic[0].parametrizations.weight.original.copy_(torch.randn(40, 40))
            errors.append(abs(float(torch.linalg.matrix_norm(critic[0].weight, 2)) - 1))
    assert errors[1] < errors[0] / 2


@pytest.mark.parametrize("iterations", [0, -1])
def test_no_power_iteration_at_all_is_refused(iterations: int) -> None:
    with pytest.raises(RequestError, match=f"sn.iterations={iterations}. is refused: iterations must be at least 1"):
        create("sn", iterations=iterations)


@pytest.mark.parametrize("name", ["ortho", "sn"])
def test_a_settled_copy_of_a_critic_with_shaped_layers_gives_the_same_norms(name: str) -> None:
    critic = create(name).constrain(perceptron())
    copy = settled(critic)
    assert max(float(torch.linalg.matrix_norm(weight, 2)) for weight in weights(copy)) == pytest.approx(1, abs=1e-2)
