"""Training a generator of points."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.data.ring import Ring
from lipbench.errors import Diverged
from lipbench.interfaces.loss import Loss
from lipbench.nets.mlp import Mlp
from lipbench.request.protocol import check, read
from lipbench.request.schema import PointsProtocol, PointsTrain
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.points import PointTrainer
from lipbench.train.streams import generator as random_generator
from lipbench.train.streams import seeded
from tests.builtin import loss as built_in_loss
from tests.methods.test_methods import create

DATA = Ring().load()


def settings(**changes: Any) -> PointsTrain:
    protocol = check(read("modes"), {f"train.{key}": value for key, value in changes.items()})
    assert isinstance(protocol, PointsProtocol)
    return protocol.train


def pointed(*methods: str | Method, seed: int = 0, loss: str | Loss = "logistic", **changes: Any) -> PointTrainer:
    """A training of small perceptrons on a ring."""
    composition = Composition(tuple(create(method) if isinstance(method, str) else method for method in methods))
    train = settings(**{"batch_size": 32, "generator_batch_size": 16, **changes})
    with seeded(seed, "init"):
        generator, critic = Mlp().make(DATA.shape, train.latent_dim)
    critic.input_shape = DATA.shape  # type: ignore[assignment]  # as where critics are built
    with seeded(seed, "constrain"):
        critic = composition.constrain(critic)
    made = built_in_loss(loss) if isinstance(loss, str) else loss
    return PointTrainer(generator, critic, composition, made, DATA, train, choose(critic, DATA.shape), seed)


class Watching(Method):
    """Notes the points that every critic step sees."""

    def regulariser(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        SEEN.append((real.clone(), fake.clone()))
        return real.new_zeros(())


SEEN: list[tuple[Tensor, Tensor]] = []


def seen(*methods: str, seed: int = 0, steps: int = 3, **changes: Any) -> list[tuple[Tensor, Tensor]]:
    SEEN.clear()
    pointed(*methods, Watching(), seed=seed, **changes).advance(steps)
    return list(SEEN)


@pytest.mark.parametrize("method", ["wc", "sn", "gp", "gn", "dragan"])
def test_one_seed_gives_every_method_the_same_real_points_and_latents(method: str) -> None:
    expected, found = seen("none"), seen(method)
    assert len(found) == 3
    assert all(torch.equal(mine[0], theirs[0]) for mine, theirs in zip(found, expected, strict=True))
    assert torch.equal(found[0][1], expected[0][1])  # before the generators part
    assert not torch.equal(seen(method, seed=1)[0][0], expected[0][0])
    plain, other = pointed("none"), pointed(method)
    for made in (plain, other):
        made.advance(2)
    for stream in ("latents", "points"):
        assert torch.equal(other.streams.state_dict()[stream], plain.streams.state_dict()[stream])


def test_every_critic_step_sees_new_points_of_the_distribution_in_batches_of_the_protocols_size() -> None:
    batches = [real for real, _ in seen("none", critic_steps=2)]
    assert [batch.shape for batch in batches] == [(32, 2, 1, 1)] * 6
    rng = random_generator(0, "points")
    expected = [DATA.sample(64, rng) for _ in range(3)]
    assert torch.equal(torch.cat(batches), torch.cat(expected))


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("methods", [("gn",), ("sn", "gp")])
def test_training_goes_on_from_a_saved_state_bit_by_bit(
    methods: tuple[str, ...], optimiser: str, tmp_path: Any
) -> None:
    changes: dict[str, Any] = {"optimiser": optimiser, "decay": "linear", "steps": 6}
    straight, first, second = (pointed(*methods, **changes) for _ in range(3))
    straight.advance(6)
    first.advance(4)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    second.advance(2)
    expected, found = straight.state_dict(), second.state_dict()
    for part in expected.keys() - {"global_random_python"}:  # from which the checks of types draw
        torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)
    assert second.step == second.updates == 6


def test_plain_gradient_descent_moves_each_weight_by_its_gradient() -> None:
    made = pointed("none", optimiser="sgd", betas=[0.0, 0.0], learning_rate=0.01, generator_learning_rate=0.02)
    weights = {rate: list(net.parameters()) for rate, net in ((0.01, made.critic), (0.02, made.generator))}
    before = {rate: [weight.detach().clone() for weight in each] for rate, each in weights.items()}
    made.critic_step()
    made.generator_step()
    for rate, each in weights.items():
        for weight, old in zip(each, before[rate], strict=True):
            assert weight.grad is not None
            torch.testing.assert_close(weight.detach(), old - rate * weight.grad, rtol=1e-5, atol=1e-7)


def test_a_loss_that_compares_is_given_the_scores_of_the_steps_real_points() -> None:
    losses = pointed("none", loss="relativistic").advance(2)
    assert len(losses["generator_loss"]) == 2
    assert pointed("gn", loss="relativistic").generator_step().isfinite()


def test_a_generator_of_points_has_no_range() -> None:
    made = pointed("none")
    with torch.no_grad():
        far = made.generator(1000 * torch.randn(64, 2))
    assert float(far.abs().max()) > 2


def test_a_nan_among_the_points_is_named_with_its_step() -> None:
    made = pointed("none")
    made.advance(1)
    made.generator[0].weight.data.fill_(torch.nan)  # type: ignore[index]  # a Sequential
    with pytest.raises(Diverged, match="critic loss is not finite at step 2"):
        made.advance(2)
