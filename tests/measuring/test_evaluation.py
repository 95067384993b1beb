"""Measures of one's own: declared, taken at an evaluation, and refused where they give what is no number."""

import sys
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipbench.errors import PluginError, RequestError
from lipbench.interfaces.measure import Measure
from lipbench.measuring.evaluation import Seen, declared, score_at, take
from lipbench.measuring.functions import Score

FAKE, REAL = (torch.randint(0, 256, (9, 3, 4, 4), generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
POINTS = torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(2))


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((48,), 0.5))

    def forward(self, points: Tensor) -> Tensor:
        return points.flatten(1) @ self.weight


def seen(critic: nn.Module | None = None, score: Score | None = None, **changes: Any) -> Seen:
    critic = (critic or Linear()).requires_grad_(False)
    given: dict[str, Any] = {
        "seed": 0,
        "critic": (critic, score_at(critic, score), POINTS, POINTS + 1),
        "pictures": (FAKE.to(torch.uint8), REAL.to(torch.uint8)),
        "features": (FAKE.flatten(1).float(), REAL.flatten(1).float()),
    }
    return Seen(**given | changes)


def measure(hook: str, function: Callable[..., Any], **constants: Any) -> Measure:
    return type("Mine", (Measure,), {hook: lambda self, *given: function(*given), **constants})()


def taken(function: Callable[..., Any], hook: str = "of_pictures", **constants: Any) -> dict[str, float | None]:
    return take({"mine": measure(hook, function, **constants)}, seen(), final=True)


def test_each_hook_sees_what_it_is_for() -> None:
    brightness = taken(lambda fake, real: (fake.float().mean() - real.float().mean()) / 255)
    assert brightness == {"mine": pytest.approx(float((FAKE.float().mean() - REAL.float().mean()) / 255))}
    shift = taken(lambda fake, real: float((fake.mean(0) - real.mean(0)).norm()), "of_features")
    assert shift == {"mine": pytest.approx(float((FAKE.float().mean(0) - REAL.float().mean(0)).norm()))}
    gap = taken(lambda critic, score, real, fake: (score(fake) - critic(real)).mean(), "of_critic")
    assert gap == {"mine": pytest.approx(24)}  # of 48 weights of a half


def test_the_score_can_be_differentiated() -> None:
    def largest_norm(critic: nn.Module, score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        points = real.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(score(points).sum(), points)
        return gradient.flatten(1).norm(dim=1).max()

    critic = nn.Sequential(nn.Flatten(), nn.Linear(48, 1), nn.Tanh()).requires_grad_(False)
    mine = {"mine": measure("of_critic", largest_norm)}
    raw = take(mine, seen(critic), final=True)["mine"]
    normalised = take(mine, seen(critic, lambda value, norm: value / (norm + value.abs())), final=True)["mine"]
    assert raw is not None
    assert raw <= float(critic[1].weight.norm()) + 1e-6
    assert normalised is not None
    assert normalised > 0


def test_several_columns_come_as_a_dict_and_none_stands_where_there_is_no_number() -> None:
    columns = {"one": {}, "two": {"low": 0}}
    given = {"one": np.float32(0.5), "two": None}
    assert taken(lambda fake, real: given, columns=columns) == {"one": 0.5, "two": None}
    assert taken(lambda fake, real: None) == {"mine": None}


def test_what_is_for_the_end_is_taken_at_the_end_alone() -> None:
    mine = {"mine": measure("of_pictures", lambda fake, real: 1, final=True)}
    assert take(mine, seen(), final=False) == {}
    assert take(mine, seen(), final=True) == {"mine": 1.0}


def test_a_critic_that_cannot_be_measured_has_no_number() -> None:
    mine = {"mine": measure("of_critic", lambda *given: 1)}
    assert take(mine, Seen(0, None, seen().pictures, seen().features), final=True) == {"mine": None}


def test_an_evaluation_without_features_has_no_number_of_them() -> None:
    mine = {f"my_{hook}": measure(f"of_{hook}", lambda fake, real: 1) for hook in ("pictures", "features")}
    assert take(mine, seen(features=None), final=False) == {"my_pictures": 1.0, "my_features": None}


def test_random_numbers_of_one_measure_shift_nothing_for_another_and_go_by_seed_and_name() -> None:
    def draw(fake: Tensor, real: Tensor) -> Tensor:
        return torch.rand(())

    alone = take({"a": measure("of_pictures", draw)}, seen(), final=True)
    before = torch.get_rng_state()
    more = take({name: measure("of_pictures", draw) for name in ("b", "a")}, seen(), final=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert more["a"] == alone["a"] != more["b"]
    assert take({"a": measure("of_pictures", draw)}, seen(seed=1), final=True) != alone


def test_what_a_measure_does_to_the_critic_is_nobody_elses() -> None:
    critic = Linear()
    mine = {"mine": measure("of_critic", lambda critic, *_: critic.weight.zero_().sum())}
    assert take(mine, seen(critic), final=True) == {"mine": 0.0}
    assert float(critic.weight.sum()) == 24


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "mine is nan; expected a finite number, or None .*: look for a division by 0"),
        (torch.tensor(float("inf")), "mine is inf; expected a finite number"),
        (10**400, "mine is inf; expected a finite number"),
        (torch.ones(3), r"mine is a Tensor of the shape \(3,\); expected one number, such as x.mean\(\)"),
        (np.ones((1, 2)), r"mine is a ndarray of the shape \(1, 2\); expected one number"),
        (torch.tensor(True), "mine is a Tensor of the shape .*; expected one number"),
        (True, "mine is a bool; expected one number"),
        ("0.5", "mine is a str; expected one number"),
        ({"mine": 1}, "mine is a dict; expected one number"),
        (1.5, "mine is 1.5; expected from 0 to 1, as it declares by low and high"),
        (-1, "mine is -1; expected from 0 to 1"),
    ],
)
def test_what_is_no_number_within_its_bounds_is_refused(value: Any, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        taken(lambda fake, real: value, low=0, high=1)


def test_rounding_beyond_a_bound_is_the_bound() -> None:
    assert taken(lambda fake, real: 1 + 1e-9, low=0, high=1) == {"mine": 1.0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"one": 1}, "mine gives a dict of one; expected a dict of each of its columns: one, two"),
        ({"one": 1, "two": 2, "three": 3}, "mine gives a dict of one, two, three; expected"),
        ({}, "mine gives a dict of nothing; expected"),
        (1.0, "mine gives a float; expected a dict"),
        ({"one": 1, "two": torch.ones(2)}, "two of measure mine is a Tensor"),
    ],
)
def test_other_columns_than_it_declares_are_refused(given: Any, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        taken(lambda fake, real: given, columns={"one": {}, "two": {}})


def test_an_error_and_a_change_of_what_is_given_are_refused() -> None:
    with pytest.raises(PluginError, match="measure mine fails in of_pictures: ZeroDivisionError"):
        taken(lambda fake, real: 1 / 0)
    with pytest.raises(PluginError, match=r"fails in of_pictures: SystemExit: 3 \(.*test_evaluation.py, line \d+, in"):
        taken(lambda fake, real: sys.exit(3))
    with pytest.raises(PluginError, match="measure mine changes what it is given.*clone"):
        taken(lambda fake, real: fake.clamp_(1).float().mean())


def test_what_a_measure_sets_for_the_whole_process_is_set_back() -> None:
    def upset(fake: Tensor, real: Tensor) -> float:
        torch.set_num_threads(before[0] + 1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return 1.0

    before = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    assert taken(upset) == {"mine": 1.0}
    assert (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()) == before


def test_a_change_is_seen_through_a_view_of_numpy() -> None:
    def darken(fake: Tensor, real: Tensor) -> float:
        real.numpy()[0] = 7
        return 1.0

    with pytest.raises(PluginError, match="measure mine changes what it is given.*clone"):
        taken(darken)


@pytest.mark.parametrize("hook", ["of_pictures", "of_features"])
def test_without_a_generator_only_the_critic_can_be_measured(hook: str) -> None:
    alone = seen(pictures=None, features=None)
    assert take({"mine": measure("of_critic", lambda *given: 1)}, alone, final=True) == {"mine": 1.0}
    with pytest.raises(RequestError, match=f"mine looks at {hook[3:]}, of which this protocol has none.*; exp"):
        take({"mine": measure(hook, lambda *given: 1)}, alone, final=True)


def test_two_measures_with_one_column_are_refused() -> None:
    with pytest.raises(PluginError, match="two measures have a column one, b the later of them; expected one of each"):
        take(
            {name: measure("of_pictures", lambda *_: {"one": 1}, columns={"one": {}}) for name in "ab"},
            seen(),
            final=True,
        )


class Counted(Measure):
    """How many different pictures there are. The rest is not said."""

    title = "modes"
    better = "higher"
    low = 0

    def of_pictures(self, fake: Tensor, real: Tensor) -> float:
        return len(fake.unique(dim=0))


class Both(Counted):
    columns: ClassVar[dict[str, dict[str, Any]]] = {
        "distinct": {"high": 10, "definition": "Different ones."},
        "doubled": {"title": "twice", "better": "lower", "low": None, "unit": "s"},
    }


def test_what_is_declared_of_a_column() -> None:
    summary = "Measures of one's own: declared, taken at an evaluation, and refused where they give what is no number."
    assert declared(Counted(), "counted[k=2]") == {
        "counted": {
            "title": "modes", "unit": "", "better": "higher", "low": 0, "high": None, "definition": summary,
        },
    }  # fmt: skip
    assert declared(Both(), "both") == {
        "distinct": {
            "title": "distinct", "unit": "", "better": "higher", "low": 0, "high": 10, "definition": "Different ones.",
        },
        "doubled": {
            "title": "twice", "unit": "s", "better": "lower", "low": None, "high": None, "definition": summary,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("constants", "expected"),
    [
        ({"better": "more"}, "better of column mine of measure mine is 'more'; expected 'lower', 'higher' or ''"),
        ({"low": float("nan")}, "low of column mine .* is nan; expected a finite number, or None"),
        ({"high": "1"}, "high of column mine .* is '1'; expected a finite number"),
        ({"unit": 3}, "unit of column mine .* is 3; expected a text"),
        ({"low": 1, "high": 0}, "reaches from low = 1 to high = 0; expected low below high"),
        ({"columns": ["one"]}, r"columns of measure mine is \['one'\]; expected a dict"),
        ({"columns": {"one": {"bettr": "lower"}}}, "column one .* has 'bettr'; did you mean better.; expected some of"),
        ({"columns": {"critic_loss": {}}}, "has a column 'critic_loss', which every run has already; expected a name"),
        ({"columns": {"My column": {}}}, "mine has a column 'My column'; expected a name of small letters"),
    ],
)
def test_declarations_that_cannot_be_meant_are_refused(constants: dict[str, Any], expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        declared(measure("of_pictures", lambda *given: 1, **constants), "mine")


def test_a_measure_of_two_hooks_or_none_is_refused() -> None:
    with pytest.raises(PluginError, match="mine defines no hook; expected exactly one of of_pictures"):
        take({"mine": Measure()}, seen(), final=True)
    with pytest.raises(PluginError, match="mine defines of_pictures and of_critic; expected exactly one"):
        taken(lambda *given: 1, of_critic=lambda self, *given: 1)
