"""A constraint is held to what it promises: of every layer, from the first step on."""

import re
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.nn.utils.parametrize import register_parametrization

from lipbench import Method, matrices
from lipbench.errors import PluginError, RequestError
from lipbench.train.composition import Composition
from tests.methods.test_methods import create


class Hidden(nn.Module):
    """A layer inside, and a matrix of its own beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8)
        self.hidden = nn.Parameter(torch.randn(6, 8))
        self.position = nn.Parameter(torch.randn(1, 8))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.inner(x.flatten(1) + self.position), self.hidden)


class Halved(nn.Module):
    """Half of a critic."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, x: Tensor) -> Tensor:
        return self.critic(x) / 2


def hidden() -> nn.Sequential:
    critic = nn.Sequential(Hidden(), nn.ReLU(), nn.Linear(6, 1))
    critic.input_shape = (8, 1, 1)
    return critic


def plain(*first: nn.Module) -> nn.Sequential:
    critic = nn.Sequential(nn.Flatten(), *first, nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1))
    critic.input_shape = (8, 1, 1)
    return critic


def linear_alone(self: Method, critic: nn.Module) -> nn.Module:
    """As spectral normalisation is mostly written."""
    for layer in critic.modules():
        if isinstance(layer, nn.Linear):
            spectral_norm(layer)
    return critic


def method(guarantee: str, **hooks: Any) -> Method:
    made: Method = type("Mine", (Method,), {"guarantee": guarantee, "constrain": linear_alone} | hooks)()
    return made


@pytest.mark.parametrize("guarantee", ["layerwise", "certified"])
def test_a_promise_of_all_layers_that_leaves_a_matrix_free_is_refused(guarantee: str) -> None:
    with pytest.raises(PluginError, match=r"constrain of Mine leaves 0.hidden \(6 × 8\) of this critic free"):
        Composition((method(guarantee),)).constrain(hidden())


@pytest.mark.parametrize(
    "methods",
    [
        (method("none"),),
        (method("soft"),),
        (method("layerwise", project=lambda self, critic: None),),
        (method("layerwise"), create("wc")),
        (create("sn"),),
    ],
)
def test_one_that_promises_less_or_projects_may_leave_it(methods: tuple[Method, ...]) -> None:
    Composition(methods).constrain(hidden())


def hooked(self: Method, critic: nn.Module) -> nn.Module:
    critic.register_forward_hook(lambda module, given, out: out / 10)
    return critic


@pytest.mark.parametrize("constrain", [lambda self, critic: Halved(critic), hooked])
def test_a_critic_that_is_constrained_from_without_leaves_nothing_free(constrain: Any) -> None:
    critic = Composition((method("certified", constrain=constrain), create("sn"))).constrain(hidden())
    assert critic.input_shape == (8, 1, 1)


def test_methods_may_share_the_layers_among_them() -> None:
    def rest(self: Method, critic: nn.Module) -> nn.Module:
        spectral_norm(critic[0], "hidden")
        return critic

    Composition((method("layerwise"), method("layerwise", constrain=rest))).constrain(hidden())


@pytest.mark.parametrize("wrap", [lambda layer: layer, weight_norm])
def test_a_weight_of_zero_is_named_before_the_first_step(wrap: Any) -> None:
    critic = plain()
    nn.init.zeros_(critic[3].weight)
    wrap(critic[3])
    if wrap is weight_norm:
        nn.init.zeros_(critic[3].parametrizations.weight.original0)
        nn.init.ones_(critic[3].parametrizations.weight.original1)
    expected = (
        "layer '3' starts with a weight of zero, whose norm is 0, and constrain of SpectralNormalisation makes it NaN "
        "before step 1; expected weights other than zero, such as by nn.init.xavier_uniform_"
    )
    with pytest.raises(RequestError, match=re.escape(expected)):
        Composition((create("sn"),)).constrain(critic)


def test_a_recurrent_network_is_refused_with_the_cure() -> None:
    class Reading(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.input_shape = nn.LSTM(4, 4, batch_first=True), (1, 2, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.lstm(x[:, 0])[0][:, -1].sum(1)

    with pytest.raises(RequestError, match=r"layer 'lstm' is a recurrent network.*nn.LSTMCell"):
        Composition((create("sn"),)).constrain(Reading())


def test_a_critic_whose_layers_are_all_normalised_already_is_refused_under_sn_and_kept() -> None:
    critic = linear_alone(method("none"), plain())
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    with pytest.raises(PluginError, match="changes nothing .* spectral normalisation of their own, which every method"):
        Composition((create("sn"),)).constrain(critic)
    assert all(torch.equal(value, critic.state_dict()[name]) for name, value in before.items())


def test_sn_constrains_the_rest_of_a_critic_that_normalises_some_layers() -> None:
    critic = plain(spectral_norm(nn.Linear(8, 8)))
    own = list(critic[1].parametrizations.weight)
    critic = Composition((create("sn"),)).constrain(critic)
    assert list(critic[1].parametrizations.weight) == own
    assert all(hasattr(layer, "parametrizations") for layer, _ in matrices(critic))


def test_what_is_scaled_after_its_spectral_normalisation_is_normalised_again() -> None:
    class Tripled(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return 3 * weight

    layer = spectral_norm(nn.Linear(8, 8))
    register_parametrization(layer, "weight", Tripled())
    critic = Composition((create("sn"),)).constrain(plain(layer)).eval()
    assert torch.linalg.matrix_norm(critic[1].weight.detach(), 2) == pytest.approx(1, abs=1e-2)
