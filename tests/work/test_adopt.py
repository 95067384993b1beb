"""A user's network, taken in."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lipbench.errors import RequestError
from lipbench.measuring.critic import settled
from lipbench.train.copies import copied
from lipbench.train.gradients.terms import values_and_norms
from lipbench.train.streams import global_state
from lipbench.work.adopt import adopt, adopt_critic

X = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def hooked(kind: Callable[..., nn.Module], **options: Any) -> nn.Module:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of them is deprecated
        conv, linear = kind(nn.Conv2d(3, 4, 2, 2), **options), kind(nn.Linear(16, 1))
        up = kind(nn.ConvTranspose2d(4, 4, 1))
    return nn.Sequential(conv, nn.ReLU(), up, nn.Flatten(), linear)


KINDS = [
    (nn.utils.spectral_norm, {}),
    (nn.utils.spectral_norm, {"n_power_iterations": 2, "dim": 1, "eps": 1e-3}),
    (nn.utils.weight_norm, {}),
    (nn.utils.weight_norm, {"dim": None}),
    (nn.utils.weight_norm, {"dim": 1}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_an_old_hook_becomes_a_parametrisation_of_the_same_function(
    kind: Callable[..., nn.Module], options: dict[str, Any]
) -> None:
    own = hooked(kind, **options)
    own(X)  # power iterations that have begun
    taken = hooked(kind, **options)
    taken(X)
    state = global_state()
    taken = adopt(taken, "generator", X)
    torch.testing.assert_close(global_state(), state, rtol=0, atol=0)
    for train in (True, True, False):
        mine, theirs = taken.train(train)(X), own.train(train)(X)
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-7)
        gradients = [
            sum(weight.grad.square().sum() for weight in net.parameters() if weight.grad is not None)
            for net, out in ((taken, mine), (own, theirs))
            for _ in [out.sum().backward()]
        ]
        torch.testing.assert_close(gradients[0], gradients[1])
    assert sum(weight.numel() for weight in taken.parameters()) == sum(weight.numel() for weight in own.parameters())


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_it_can_then_be_copied_saved_and_settled(kind: Callable[..., nn.Module], options: dict[str, Any]) -> None:
    taken = adopt(hooked(kind, **options), "generator", X)
    taken(X).sum().backward()
    other = adopt(hooked(kind, **options), "generator", X)
    other.load_state_dict(taken.state_dict())
    expected = deepcopy(taken).eval()(X)
    torch.testing.assert_close(other.eval()(X), expected, rtol=0, atol=0)
    assert settled(taken)(X).isfinite().all()
    if kind is nn.utils.spectral_norm and not options:
        weight = settled(taken)[0].weight.flatten(1)  # type: ignore[operator, union-attr]  # a convolution's
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=1e-3)


def test_a_frozen_part_stays_frozen() -> None:
    own = hooked(nn.utils.weight_norm)
    own[0].weight_g.requires_grad_(False)
    taken = adopt(own, "generator", X)
    assert [weight.requires_grad for weight in taken[0].parameters()].count(False) == 1  # type: ignore[index]  # a Sequential


def test_a_compiled_network_and_compiled_parts_of_it_are_taken_as_they_were() -> None:
    inner = nn.Sequential(nn.Flatten(), nn.Linear(48, 1))
    called = nn.Linear(1, 1)
    called.compile()
    net = torch.compile(nn.Sequential(torch.compile(inner), called))
    assert isinstance(net, nn.Module)
    taken = adopt_critic(net, X)
    assert [type(layer).__name__ for layer in taken.modules()] == [
        "Sequential", "Sequential", "Flatten", "Linear", "Linear",
    ]  # fmt: skip
    assert called._compiled_call_impl is None


@pytest.mark.parametrize("compiled", [torch.jit.script, lambda net: torch.jit.trace(net, X.flatten(1))])
def test_a_network_with_a_scripted_part_is_refused(compiled: Callable[[nn.Module], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated by torch itself
        net = nn.Sequential(nn.Flatten(), compiled(nn.Sequential(nn.Linear(48, 1))))
    with pytest.raises(RequestError, match="the critic, in its layer '1', was compiled by torch.jit.*leave out"):
        adopt_critic(net, X)


def test_a_lazy_layer_has_its_size_before_anything_is_made_of_its_weights() -> None:
    taken = adopt(nn.Sequential(nn.Flatten(), nn.LazyLinear(1)), "generator", X)
    assert sum(weight.numel() for weight in taken.parameters()) == 49


@pytest.mark.parametrize("first", [nn.ReLU(inplace=True), nn.LeakyReLU(0.2, inplace=True)])
def test_a_critic_that_changes_its_points_is_given_a_copy(first: nn.Module) -> None:
    net = nn.Sequential(first, nn.Flatten(), nn.Linear(48, 1))
    expected = net(X.clone())
    points = X.clone()
    taken = copied(adopt_critic(net, X))
    torch.testing.assert_close(taken(points), expected, rtol=0, atol=0)
    assert torch.equal(points, X)
    assert values_and_norms(taken, points)[1].isfinite().all()
    with parametrize.cached():
        assert not nn.Sequential(nn.Flatten(), nn.Linear(48, 1))._forward_pre_hooks


def test_a_weight_of_ones_own_that_a_pass_has_computed_does_not_keep_a_network_from_being_copied() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.raw = nn.Parameter(torch.randn(1, 48))

        def forward(self, x: Tensor) -> Tensor:
            self.weight = self.raw / self.raw.norm()
            return nn.functional.linear(x.flatten(1), self.weight)

    net = Own()
    expected = net(X)
    assert np.array_equal(copied(net)(X).detach().numpy(), expected.detach().numpy())
