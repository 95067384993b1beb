"""Hooks tried by themselves: what would train something else than was meant is refused, and nothing else is."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.errors import PluginError, RequestError
from lipbench.interfaces.loss import Loss
from lipbench.losses.wasserstein import Wasserstein
from lipbench.plugins import kinds, registry
from lipbench.train.composition import Composition
from lipbench.train.trial import trials, try_loss
from tests.builtin import loss as built_in_loss
from tests.methods.test_methods import create

REAL, FAKE = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8)
RNG = torch.Generator()


def critic() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))


def attempt(method: Method, net: nn.Module | None = None) -> None:
    for one in trials(method, "mine", net or critic(), REAL, FAKE).values():
        one()


def method(**hooks: Any) -> Method:
    """A method with these hooks, and points at the real samples where it has a penalty."""
    if "penalty" in hooks:
        hooks = {"penalty_points": lambda self, real, fake, rng: real} | hooks
    return type("Mine", (Method,), hooks)()


def no_points(self: Method, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    return real[:0]


SCORES = {
    "has no gradient in the critic's value": lambda self, v, n: (v / n).detach(),
    r"gives a tensor of shape \(32, 32\).*expected one number a sample": lambda self, v, n: v[:, None] / n,
    r"gives nothing \(None\)": lambda self, v, n: None,
    "sample 0 has .* among 32 and .* alone": lambda self, v, n: v / n.max(),
    "mixes the samples of a batch": lambda self, v, n: v - v.mean().detach(),
    "draws no random numbers of its own": lambda self, v, n: v / n + torch.rand_like(v),
    "gives back the value as it is": lambda self, v, n: v,
    "score of mine is no number .NaN. for value -": lambda self, v, n: v / n + (v - v.abs()).sqrt(),
    "of type int64|type int64": lambda self, v, n: v.long(),
}
PENALTIES = {
    "end it with .mean": lambda self, v, n: (n - 1).square(),
    r"shape \(1,\).*end it with .mean": lambda self, v, n: n[:1],
    "neither in the critic's value nor in its gradient norm": lambda self, v, n: (n.detach() - 1).square().mean(),
    "gives float .leave out .item.*expected a single number": lambda self, v, n: float(n.detach().mean()),
    "penalty of mine gives something else": lambda self, v, n: (n * torch.rand_like(n)).mean(),
}
POINTS = {
    "changes the batch in place": lambda self, real, fake, rng: real.add_(1),
    r"float tensor of shape \(m, 3, 8, 8\)": lambda self, real, fake, rng: real.flatten(1),
    "a float tensor of shape": lambda self, real, fake, rng: (255 * real).to(torch.uint8),
    "gives no points": no_points,
    "would never be taken": lambda self, real, fake, rng: None,
    "all of them from the rng": lambda self, real, fake, rng: real + torch.rand(len(real), 1, 1, 1) * fake,
    "penalty_points of mine gives something else": lambda self, real, fake, rng: random.random() * real,
    "would not be paired": lambda self, real, fake, rng: real * np.random.default_rng().random(),
}
REGULARISERS = {
    "has no gradient in the critic's weights": lambda self, critic, real, fake, rng: real.square().mean(),
    "end it with .mean": lambda self, critic, real, fake, rng: critic(real).square(),
    "changes the batch in place": lambda self, critic, real, fake, rng: critic(real.mul_(2)).mean(),
    "regulariser of mine gives something else": lambda self, critic, real, fake, rng: critic(
        real + torch.rand_like(real)
    ).mean(),
}
BROKEN = [
    *[({"score": hook}, expected) for expected, hook in SCORES.items()],
    *[({"penalty": hook}, expected) for expected, hook in PENALTIES.items()],
    *[({"penalty": lambda self, v, n: n.mean(), "penalty_points": h}, expected) for expected, h in POINTS.items()],
    *[({"regulariser": hook}, expected) for expected, hook in REGULARISERS.items()],
    ({"project": lambda self, critic: [w.clamp(-1, 1) for w in critic.parameters()]}, "changes no weight"),
]


@pytest.mark.parametrize(("hooks", "expected"), BROKEN, ids=[expected for _, expected in BROKEN])
def test_a_hook_that_breaks_its_contract_is_refused_with_its_cure(hooks: dict[str, Any], expected: str) -> None:
    real, fake = REAL.clone(), FAKE.clone()
    with pytest.raises(PluginError, match=expected):
        for one in trials(method(**hooks), "mine", critic(), real, fake).values():
            one()


def threshold(self: Method, v: Tensor, n: Tensor) -> Tensor:
    return (n - 50).relu().mean()


def by_rng(self: Method, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    return real + torch.rand(len(real), 1, 1, 1, generator=rng) * (fake - real)


@pytest.mark.parametrize(
    "hooks",
    [
        {"score": lambda self, v, n: v / n.detach()},
        {"penalty": threshold},
        {"penalty": lambda self, v, n: v.square().mean()},
        {"penalty": lambda self, v, n: n.max(), "penalty_points": by_rng},
        {"regulariser": lambda self, critic, real, fake, rng: critic(real).mean() - critic(fake).mean()},
        {"regulariser": lambda self, critic, real, fake, rng: critic[1].weight.norm()},
        {"project": lambda self, critic: critic[1].weight.clamp_(-1, 1)},
    ],
)
def test_a_hook_that_keeps_its_contract_passes(hooks: dict[str, Any]) -> None:
    net, before = critic(), torch.get_rng_state()
    attempt(method(**hooks), net)
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_of_the_critics_own_is_not_the_methods() -> None:
    class Noisy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + torch.randn_like(x)

    attempt(
        method(regulariser=lambda self, critic, real, fake, rng: critic(real).mean()), nn.Sequential(Noisy(), critic())
    )


def test_an_exception_of_the_hook_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(method(score=lambda self, v, n: 1 / 0))


@pytest.mark.parametrize("name", sorted(registry.installed(kinds.METHOD)))
def test_every_built_in_method_passes(name: str) -> None:
    attempt(create(name), nn.Sequential(nn.Conv2d(3, 2, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(72, 1)))


CONSTRAINS = {
    r"gives nothing \(None\); expected the critic: end it with `return critic`": lambda self, critic: None,
    "gives list; expected the critic": lambda self, critic: [critic],
    r"changes nothing in this critic.*\(this one has Dropout, Flatten, Linear, ReLU\)": lambda self, critic: critic,
}


@pytest.mark.parametrize(("expected", "hook"), CONSTRAINS.items())
def test_a_constraint_that_constrains_nothing_is_refused(expected: str, hook: Any) -> None:
    with pytest.raises(RequestError, match=expected):
        Composition((method(constrain=hook),)).constrain(critic())


def scaled(self: Method, critic: nn.Module) -> nn.Module:
    with torch.no_grad():
        critic[1].weight.mul_(0.5)  # type: ignore[index,operator,union-attr]
    return critic


def hooked(self: Method, critic: nn.Module) -> nn.Module:
    critic.register_forward_hook(lambda module, given, out: out / 2)
    return critic


def set_slope(self: Method, critic: nn.Module) -> nn.Module:
    critic[3].p = 0.1  # type: ignore[index,union-attr]
    return critic


@pytest.mark.parametrize("hook", [scaled, hooked, set_slope, lambda self, critic: nn.Sequential(critic)])
def test_a_constraint_may_change_anything_of_a_critic(hook: Any) -> None:
    Composition((method(constrain=hook),)).constrain(critic())


class Detached(Loss):
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake.mean() - real.mean()).detach()

    def generator(self, fake: Tensor) -> Tensor:
        return -fake.mean()


class Several(Wasserstein):
    def generator(self, fake: Tensor) -> Tensor:
        return -fake


class Drawn(Wasserstein):
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return super().critic(real, fake) * torch.rand(())


class Lost(Wasserstein):
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        return (fake - real).log().mean()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Detached(), "critic of loss mine has no gradient in the scores"),
        (Several(), r"generator of loss mine gives a tensor of shape \(32,\).*end it with .mean\(\)"),
        (Drawn(), "critic of loss mine gives something else at each call"),
        (Lost(), "critic of loss mine is nan"),
    ],
)
def test_a_loss_by_which_nothing_is_learned_is_refused(loss: Loss, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        try_loss(loss, "mine", torch.device("cpu"))


@pytest.mark.parametrize("name", ["wasserstein", "hinge", "logistic", "relativistic"])
def test_the_built_in_losses_pass(name: str) -> None:
    try_loss(built_in_loss(name), name, torch.device("cpu"))
