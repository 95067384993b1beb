"""An audit of critics whose slope is known, and what is refused."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

import lipbench
from lipbench.errors import RequestError
from lipbench.measuring.bounds import JUMPS, Bound

POINTS = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def linear(inputs: int = 16) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 1))


def relu() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))


def test_of_a_linear_critic_the_secants_and_the_bound_are_the_norm_of_its_weights() -> None:
    critic = linear()
    found = lipbench.audit(critic, POINTS)
    norm = float(critic[1].weight.detach().double().norm())  # type: ignore[index,union-attr,operator]  # a layer of a Sequential
    said = found["critic"]
    assert said["lower"] == pytest.approx(norm, rel=1e-8)
    assert said["upper"] == pytest.approx(norm, rel=1e-6)
    assert said["upper"] >= said["lower"]
    assert said["ratio"] == pytest.approx(1, rel=1e-6)
    assert list(said["secants"].values()) == pytest.approx([norm] * 4, rel=1e-6)
    assert {place: round(each["max"] / norm, 6) for place, each in said["gradient_norms"].items()} == {
        "real": 1,
        "noise": 1,
        "mixed": 1,
    }
    assert said["tv_gap"] == pytest.approx(0, abs=1e-9)
    assert said["continuity"] == "continuous"
    (layer,) = found["layers"]
    assert layer["estimate"] <= layer["bound"]
    assert layer["bound"] == pytest.approx(norm, rel=1e-6)
    assert (found["score"], found["count"], found["shape"]) == (None, 20, [1, 4, 4])


def test_the_score_of_gn_jumps_and_has_no_bound_while_its_critic_has_one() -> None:
    found = lipbench.audit(relu(), POINTS, score="gn")
    score, critic = found["score"], found["critic"]
    assert score["continuity"] == "jumps"
    assert (score["upper"], score["ratio"]) == (None, None)
    assert score["obstacle"] == JUMPS
    assert max(each["max"] for each in score["gradient_norms"].values()) <= 1
    steps = torch.tensor([found["segment"][name] for name in ("near_at", "near_value")], dtype=torch.float64).diff()
    drawn = float((steps[1] / steps[0]).abs().max())
    assert score["lower"] == pytest.approx(max(drawn, *score["secants"].values()))
    assert score["lower"] > 2
    assert critic["lower"] <= critic["upper"]
    near = torch.tensor(found["segment"]["near_value"]).diff().abs()
    assert near.max() > 10 * near.median()  # the jump is in the figure


def test_a_critic_is_left_as_it_was() -> None:
    critic = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), spectral_norm(nn.Linear(12, 4)), nn.Dropout(),
        nn.ReLU(), nn.Linear(4, 1),
    )  # fmt: skip
    critic(POINTS).sum().backward()
    state = copy.deepcopy(critic.state_dict())
    grads = [weight.grad.clone() for weight in critic.parameters() if weight.grad is not None]
    hooks = [(len(layer._forward_hooks), len(layer._forward_pre_hooks)) for layer in critic.modules()]
    random = torch.get_rng_state()
    found = lipbench.audit(critic, POINTS)
    assert torch.equal(torch.get_rng_state(), random)
    assert critic.training
    assert all(torch.equal(value, state[name]) for name, value in critic.state_dict().items())
    assert all(map(torch.equal, grads, [w.grad for w in critic.parameters() if w.grad is not None]))
    assert hooks == [(len(layer._forward_hooks), len(layer._forward_pre_hooks)) for layer in critic.modules()]
    assert all(weight.requires_grad for weight in critic.parameters())
    assert any("Power iterations of its spectral normalisation" in note for note in found["notes"])


def test_the_same_seed_gives_the_same_record() -> None:
    critic = relu()
    first, again, other = (lipbench.audit(critic, POINTS, seed=seed) for seed in (0, 0, 1))
    for record in (first, again, other):
        record.pop("seconds"), record.pop("seconds_bound")
    assert first == again != other


def test_points_that_are_no_pictures_and_bytes_are_points_too() -> None:
    critic = nn.Linear(2, 1)
    found = lipbench.audit(critic, torch.randn(10, 2))
    assert found["critic"]["lower"] == pytest.approx(float(critic.weight.detach().norm()), rel=1e-5)
    assert found["layers"][0]["name"] == "critic"
    seen = lipbench.audit(linear(), (255 * POINTS).to(torch.uint8))
    assert seen["critic"]["ratio"] == pytest.approx(1, rel=1e-5)


def test_a_critic_in_half_precision_is_measured_in_float32() -> None:
    found = lipbench.audit(linear().bfloat16(), POINTS)
    assert found["critic"]["ratio"] == pytest.approx(1, rel=1e-5)
    assert any("not in float32" in note for note in found["notes"])


class Written(nn.Module):
    """A critic by a formula of its points and one weight."""

    def __init__(self, formula: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(16))
        self.formula = formula

    def forward(self, x: Tensor) -> Any:
        return self.formula(x.flatten(1) * self.weight)


class Labelled(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x.flatten(1).sum(1) * y


def nan() -> nn.Module:
    critic = linear()
    with torch.no_grad():
        critic[1].bias.fill_(float("nan"))  # type: ignore[index,union-attr,operator]  # a layer of a Sequential
    return critic


@pytest.mark.parametrize(
    ("critic", "expected"),
    [
        (Labelled(), r"forward of the critic takes \(x.*y.*\).*expected points alone.*self.label.expand"),
        (Written(lambda x: x), r"the critic gives \(4, 16\) for 4 samples; expected one number a sample"),
        (Written(lambda x: (x.sum(1), x)), r"gives tuple .*; expected one number .*return self.net\(x\)\[0\]"),
        (Written(lambda x: x.sum(1) + x.std(0).mean()), "mixes the samples of a batch, in eval mode, too .*expected"),
        (Written(lambda x: x.sum(1) + torch.rand(len(x))), "something else at each call.*expected a function of each"),
        (Written(lambda x: (x - 2).sum(1).log()), "at .* points is not finite; expected finite numbers at the points"),
        (nan(), "'1.bias' of the critic is NaN or infinite; expected finite weights"),
        (
            linear(9),
            r"fails with the points .* of shape \(1, 4, 4\): RuntimeError.*; expected a critic that takes",
        ),
        (
            Written(lambda x: x.detach().sum(1)),
            "fails while it is measured: RuntimeError.*; expected a critic that can",
        ),
    ],
)
def test_what_is_no_critic_is_refused_with_what_was_expected(critic: nn.Module, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        lipbench.audit(critic, POINTS)


def test_a_critic_that_mixes_only_in_training_is_accepted() -> None:
    critic = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 1))
    critic(POINTS)
    assert lipbench.audit(critic, POINTS)["critic"]["lower"] > 0


def test_a_critic_that_makes_tensors_of_its_own_is_run_in_float64_too() -> None:
    found = lipbench.audit(Written(lambda x: (x @ torch.ones(16, 1)).flatten()), POINTS)
    assert found["critic"]["secants"]["0.001"] == pytest.approx(4)
    assert torch.get_default_dtype() is torch.float32


def test_a_critic_of_float32_alone_has_no_secants_and_this_is_said() -> None:
    found = lipbench.audit(Written(lambda x: x.float().sum(1)), POINTS)
    said = found["critic"]
    assert any("cannot be run in float64" in note for note in found["notes"])
    assert set(said["secants"].values()) == {None}
    assert said["lower"] == pytest.approx(4, rel=1e-3)
    assert (said["tv_gap"], found["segment"]) == (None, None)


def test_a_slope_that_is_steeper_than_what_was_proven_refutes_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lipbench.tools.audit.bound", lambda *_: Bound(1e-3))
    found = lipbench.audit(linear(), 4, shape=(1, 4, 4))["critic"]
    assert (found["upper"], found["ratio"]) == (None, None)
    assert found["obstacle"].endswith("it does what no proof sees")


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_the_weights_of_a_lazy_critic_are_counted_once_they_are_made() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.LazyLinear(1))
    assert lipbench.audit(critic, 4, shape=(1, 4, 4))["parameters"] == 17
