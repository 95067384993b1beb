"""Known answers for the methods that shape the critic's layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from lipbench import matrices
from lipbench.errors import RequestError
from lipbench.measuring.critic import settled
from lipbench.nets import MaxMin
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import values_and_norms
from lipbench.train.streams import seeded
from tests.builtin import networks
from tests.methods.test_methods import create, linear
from tests.train.operators import dense, norm


def perceptron(dim: int = 6) -> nn.Module:
    return networks("mlp", (dim, 1, 1), dim)[1]


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


CERTIFIED = ["aol", "ortho", "sn_conv"]


@pytest.mark.parametrize("method", CERTIFIED)
def test_every_layer_of_a_trained_convolutional_critic_has_a_norm_of_at_most_1(method: str) -> None:
    torch.manual_seed(0)
    critic = networks("cnn-8", (1, 8, 8), 16)[1]
    critic.input_shape = (1, 8, 8)  # type: ignore[assignment]  # as where critics are built
    critic = Composition((create(method),)).constrain(critic)
    adam = torch.optim.Adam(critic.parameters(), 0.01)
    for _ in range(20):
        loss = -critic(torch.randn(16, 1, 8, 8)).var()
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch is typed in part
        adam.step()
    exact = settled(critic).double()
    for layer, side in zip([exact[0], exact[2], exact[4], exact[7]], (8, 8, 4, 0), strict=True):
        greatest = norm(dense(layer, (side, side)))
        assert greatest <= 1 + 1e-6, layer
        assert greatest >= {"aol": 0.2, "ortho": 0.9, "sn_conv": 0.7}[method], layer
    points = torch.randn(64, 1, 8, 8, dtype=torch.float64)
    assert values_and_norms(exact, points)[1].max() <= 1 + 1e-6


@pytest.mark.parametrize("method", CERTIFIED)
def test_a_residual_critic_that_averages_is_refused(method: str) -> None:
    with pytest.raises(RequestError, match=f"{method} got a critic with AvgPool2d, for which it cannot vouch"):
        create(method).constrain(networks("resnet-32", (3, 32, 32), 16)[1])


def test_a_layer_that_cannot_be_made_orthogonal_is_refused_with_the_cure() -> None:
    with pytest.raises(RequestError, match="ortho got a critic with LayerNorm.*cnn-8 or mlp, or --protocol w1"):
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


class Everything(nn.Module):
    """A critic of layers of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.gain = nn.Parameter(torch.randn(6, 1, 3, 3)), 0.5
        self.up = nn.ConvTranspose2d(6, 1, 2, 2)
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)
        self.encode = nn.TransformerEncoderLayer(16, 2, 8, dropout=0.0, batch_first=True)
        self.form, self.rows = nn.Bilinear(16, 16, 5), nn.Embedding(3, 5)
        self.first, self.second = nn.Linear(5, 5), nn.Linear(5, 5)
        self.second.weight = self.first.weight
        self.position = nn.Parameter(torch.randn(1, 16, 16))
        self.input_shape = (1, 8, 8)

    def forward(self, x: Tensor) -> Tensor:
        h = self.up(F.conv2d(x, self.kernel * self.gain, padding=1).relu())[:, 0] + self.position
        h = self.encode(h + self.attend(h, h, h, need_weights=False)[0])
        h = self.second(self.first(self.form(h[:, 0], h[:, 1])))
        label = torch.zeros(len(x), dtype=torch.long)
        return (self.rows(label) * h).sum(1)


def test_spectral_normalisation_gives_every_matrix_norm_1() -> None:
    torch.manual_seed(0)
    critic = Composition((create("sn", iterations=20),)).constrain(Everything())
    points = torch.randn(4, 1, 8, 8)
    for _ in range(20):
        critic(points)
    critic.eval()
    shaped = [(layer, name) for layer in critic.modules() for name in getattr(layer, "parametrizations", ())]
    assert len(shaped) == len(matrices(critic)) == 12
    for layer, name in shaped:
        weight = getattr(layer, name).detach()
        if isinstance(layer, nn.ConvTranspose2d):
            weight = weight.transpose(0, 1)  # to (c_out, c_in, …)
        assert torch.linalg.matrix_norm(weight.flatten(1), 2) == pytest.approx(1, abs=1e-4), (type(layer), name)
    with torch.no_grad():  # where attention takes another way
        torch.testing.assert_close(critic(points), critic(points.requires_grad_()))
    torch.testing.assert_close(settled(critic)(points), critic(points), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "shape"), [("cnn-8", (1, 8, 8)), ("resnet-32", (3, 32, 32))])
def test_the_shared_critics_are_normalised_as_by_hand_bit_by_bit(name: str, shape: tuple[int, int, int]) -> None:
    critics = []
    for by_hand in (True, False):
        with seeded(0, "init"):
            critic = networks(name, shape, 16)[1]
        critic.input_shape = shape  # type: ignore[assignment]  # as where critics are built
        with seeded(0, "constrain"):
            if by_hand:
                for layer in critic.modules():
                    if isinstance(layer, nn.Linear | nn.Conv2d):
                        spectral_norm(layer)
            else:
                critic = Composition((create("sn"),)).constrain(critic)
        critics.append(critic.state_dict())
    wanted, found = critics
    assert list(wanted) == list(found)
    assert all(torch.equal(value, found[key]) for key, value in wanted.items())


@pytest.mark.parametrize("method", ["sn", "sn_conv"])
@pytest.mark.parametrize("iterations", [0, -1])
def test_no_power_iteration_at_all_is_refused(method: str, iterations: int) -> None:
    with pytest.raises(
        RequestError, match=f"{method}.iterations={iterations}. is refused: iterations must be at least"
    ):
        create(method, iterations=iterations)
