"""Training a critic alone."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method, Pair
from lipbench.data.w1 import Benchmark
from lipbench.losses.wasserstein import Wasserstein
from lipbench.nets.mlp import Mlp
from lipbench.request.protocol import check, read
from lipbench.request.schema import CriticProtocol, CriticTrain
from lipbench.train.alone import CriticAlone
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.streams import seeded
from tests.methods.test_methods import create

PAIR = Benchmark().load()
METHODS = ["wc", "sn", "gp", "lp", "r1", "gn", "gn_tau", "gran", "ortho", "alp", "ct"]


def settings(**changes: Any) -> CriticTrain:
    protocol = check(read("w1"), {f"train.{key}": value for key, value in changes.items()})
    assert isinstance(protocol, CriticProtocol)
    return protocol.train


def alone(*methods: str | Method, seed: int = 0, **changes: Any) -> CriticAlone:
    assert isinstance(PAIR, Pair)
    made = [create(method) if isinstance(method, str) else method for method in methods]
    composition, train = Composition(tuple(made)), settings(**{"batch_size": 32, **changes})
    with seeded(seed, "init"):
        _, critic = Mlp().make(PAIR.shape, PAIR.dim)
    with seeded(seed, "constrain"):
        critic = composition.constrain(critic)
    engine = choose(critic, PAIR.shape)
    return CriticAlone(critic, composition, Wasserstein(), PAIR, train, engine, seed)


class Watching(Method):
    """Notes the points that every step sees."""

    def regulariser(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        SEEN.append(torch.cat([real, fake]))
        return real.new_zeros(())


SEEN: list[Tensor] = []


def seen(*methods: str, seed: int = 0) -> list[Tensor]:
    SEEN.clear()
    alone(*methods, Watching(), seed=seed).advance(3)
    return list(SEEN)


@pytest.mark.parametrize("method", METHODS)
def test_one_seed_gives_every_method_the_same_points(method: str) -> None:
    expected = seen("none")
    assert len(expected) == 3
    assert all(torch.equal(*pair) for pair in zip(seen(method), expected, strict=True))
    assert not torch.equal(seen(method, seed=1)[0], expected[0])


def test_every_step_sees_new_points_in_batches_of_the_protocols_size() -> None:
    batches = seen("none")
    assert {batch.shape for batch in batches} == {(64, 2, 1, 1)}
    assert len(torch.cat(batches).flatten(1).unique(dim=0)) == 3 * 64


def test_a_step_is_one_update_of_the_critic() -> None:
    made = alone("none")
    before = made.critic[1].weight.detach().clone()
    losses = made.advance(1)
    moved = (made.critic[1].weight.detach() - before).abs()
    assert (made.step, made.updates, list(losses)) == (1, 1, ["critic_loss"])
    # Of a unit that sees nothing the weights stay.
    torch.testing.assert_close(moved[moved > 0], torch.full_like(moved[moved > 0], 2e-4), rtol=0.05, atol=0)


@pytest.mark.parametrize("methods", [("wc",), ("sn", "gp"), ("gn",), ("ortho",), ("gran", "r1")])
def test_training_goes_on_from_a_saved_state_bit_by_bit(methods: tuple[str, ...], tmp_path: Any) -> None:
    straight = alone(*methods, decay="linear", steps=6)
    straight.advance(6)
    first = alone(*methods, decay="linear", steps=6)
    first.advance(4)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second = alone(*methods, decay="linear", steps=6)
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    second.advance(2)
    torch.testing.assert_close(second.state_dict(), straight.state_dict(), rtol=0, atol=0)
    assert second.step == second.updates == 6


def test_a_linear_decay_ends_at_a_learning_rate_of_0() -> None:
    made = alone("none", decay="linear", steps=4)
    rates = []
    for _ in range(5):
        made.advance(1)
        rates.append(made.optimisers["critic"].param_groups[0]["lr"])
    assert rates == pytest.approx([2e-4, 1.5e-4, 1e-4, 0.5e-4, 0])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_lowers_the_loss(method: str) -> None:
    made = alone(method, learning_rate=2e-3)
    before = made.advance(1)["critic_loss"]
    made.advance(30)
    assert made.advance(1)["critic_loss"] < before
