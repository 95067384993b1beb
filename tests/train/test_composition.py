"""Several methods as one."""

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.errors import RequestError
from lipbench.train.composition import Composition


class Double(Method):
    def project(self, critic: nn.Module) -> None:
        for weight in critic.parameters():
            weight.mul_(2)


class AddOne(Method):
    def project(self, critic: nn.Module) -> None:
        for weight in critic.parameters():
            weight.add_(1)


class Scaled(Method):
    def score(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return value / grad_norm


class OnReal(Method):
    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return real

    def penalty(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return grad_norm.mean()


class OnFake(OnReal):
    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return fake


class Nowhere(OnReal):
    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> None:
        return None


class Consistent(Method):
    def regulariser(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return (critic(real).mean() - critic(fake).mean()).square()


BATCH = torch.arange(6.0).reshape(6, 1, 1, 1)


def test_projections_are_applied_in_the_order_in_which_the_methods_stand() -> None:
    for methods, expected in [((Double(), AddOne()), 3.0), ((AddOne(), Double()), 4.0)]:
        critic = nn.Linear(1, 1, bias=False)
        nn.init.ones_(critic.weight)
        Composition(methods).project(critic)
        assert critic.weight.item() == expected


def test_at_most_one_method_replaces_the_score() -> None:
    with pytest.raises(RequestError, match="2 methods replace the critic's score"):
        Composition((Scaled(), Scaled()))


def test_the_raw_value_is_the_score_where_no_method_replaces_it() -> None:
    value, norm = torch.ones(3), torch.full((3,), 2.0)
    assert torch.equal(Composition((Double(),)).score(value, norm), value)
    assert torch.equal(Composition((Double(), Scaled())).score(value, norm), value / norm)


def test_a_penalty_on_the_batchs_own_samples_shares_its_pass() -> None:
    rng = torch.Generator()
    terms = Composition((OnReal(), OnFake())).penalties(BATCH, 4, 0, rng)
    assert [term.points is BATCH for term in terms] == [True, True]
    assert [(term.rows.start, term.rows.stop) for term in terms] == [(None, 4), (4, None)]


def test_no_points_mean_no_penalty() -> None:
    assert Composition((Nowhere(),)).penalties(BATCH, 4, 0, torch.Generator()) == []


def test_a_lazy_penalty_comes_at_every_kth_step_and_counts_k_times() -> None:
    composition = Composition((OnReal(every=3),))
    due = [composition.penalties(BATCH, 4, step, torch.Generator()) for step in range(7)]
    assert [len(terms) for terms in due] == [1, 0, 0, 1, 0, 0, 1]
    assert due[0][0].objective(torch.zeros(4), torch.full((4,), 2.0)) == 6


def test_a_regulariser_sees_the_critic_and_both_halves() -> None:
    composition = Composition((Consistent(every=2),))
    critic = nn.Sequential(nn.Flatten(), nn.Linear(1, 1, bias=False))
    nn.init.ones_(critic[1].weight)
    first = composition.regulariser(critic, BATCH, 4, 0, torch.Generator())
    assert first.detach() == pytest.approx(2 * (1.5 - 4.5) ** 2)
    assert composition.regulariser(critic, BATCH, 4, 1, torch.Generator()) == 0


class Aiming(Method):
    at: float = 5.0

    @property
    def lipschitz_target(self) -> float:
        return self.at


class AimingScore(Aiming):
    def score(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return value


@pytest.mark.parametrize(
    ("methods", "target"),
    [
        ((Double(),), 1.0),
        ((Aiming(),), 5.0),
        ((Aiming(), Double()), 1.0),
        ((Double(), AimingScore()), 5.0),
        ((Scaled(), Aiming(at=0.5)), 1.0),
    ],
)
def test_the_target_is_that_of_the_score_and_else_the_smallest(methods: tuple[Method, ...], target: float) -> None:
    assert Composition(methods).lipschitz_target == target


@pytest.mark.parametrize("target", [0, -1.0, float("nan"), float("inf"), "1", None, True])
def test_a_target_that_is_no_number_above_0_is_refused(target: object) -> None:
    class Wrong(Method):
        lipschitz_target = target  # type: ignore[assignment]

    with pytest.raises(RequestError, match="lipschitz_target of Wrong is .*; expected a number above 0"):
        Composition((Wrong(),))
