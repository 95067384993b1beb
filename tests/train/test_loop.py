"""The training loop."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.data.digits import Digits
from lipbench.errors import Diverged
from lipbench.interfaces.loss import Loss
from lipbench.losses.wasserstein import Wasserstein
from lipbench.nets.cnn_8 import Cnn8
from lipbench.request.protocol import check, read
from lipbench.request.schema import Train
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.gradients.terms import values_and_norms
from lipbench.train.loop import Trainer
from lipbench.train.streams import seeded
from tests.builtin import loss as built_in_loss
from tests.methods.test_methods import create

PICTURES = Digits().load().train


def settings(**changes: Any) -> Train:
    return check(read("digits"), {f"train.{key}": value for key, value in changes.items()}).train


def trainer(*methods: str | Method, seed: int = 0, device: str = "cpu", **changes: Any) -> Trainer:
    made = [create(method) if isinstance(method, str) else method for method in methods]
    composition = Composition(tuple(made))
    with seeded(seed, "init"):
        generator, critic = Cnn8().make((1, 8, 8), 64)
    critic.input_shape = (1, 8, 8)  # type: ignore[assignment]  # as where critics are built
    with seeded(seed, "constrain"):
        critic = composition.constrain(critic)
    generator, critic, pictures = generator.to(device), critic.to(device), PICTURES.to(device)
    engine = choose(critic, (1, 8, 8))
    return Trainer(generator, critic, composition, Wasserstein(), pictures, settings(**changes), engine, seed)


def under(loss: str | Loss, *methods: str | Method, **changes: Any) -> Trainer:
    """The same with another loss."""
    made = trainer(*methods, **changes)
    made.loss = built_in_loss(loss) if isinstance(loss, str) else loss
    return made


class Watching(Method):
    """Notes the real pictures that every critic step sees."""

    def regulariser(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        SEEN.append(real.clone())
        return real.new_zeros(())


SEEN: list[Tensor] = []


@pytest.mark.parametrize("method", ["wc", "sn", "gp", "gn"])
def test_one_seed_gives_every_method_the_same_pictures_and_latents(method: str) -> None:
    SEEN.clear()
    plain = trainer("none", Watching())
    plain.advance(3)
    expected = list(SEEN)
    SEEN.clear()
    other = trainer(method, Watching())
    other.advance(3)
    assert all(torch.equal(*pair) for pair in zip(SEEN, expected, strict=True))
    assert torch.equal(other.streams.state_dict()["latents"], plain.streams.state_dict()["latents"])
    assert len(SEEN) == 3


def test_every_method_starts_from_the_same_weights() -> None:
    plain, normalised = trainer("none"), trainer("sn")
    assert torch.equal(plain.critic[0].weight, normalised.critic[0].parametrizations.weight.original)


def test_one_generator_step_takes_as_many_critic_steps_as_the_protocol_says() -> None:
    SEEN.clear()
    trainer("none", Watching(), critic_steps=3).advance(2)
    assert len(SEEN) == 6
    assert len({tuple(real.flatten().tolist()) for real in SEEN}) == 6


def test_the_averaged_generator_follows_the_trained_one_by_its_decay() -> None:
    made = trainer("none", ema_decay=0.75)
    made.advance(1)
    first = made.generator[0].weight.detach().clone()
    made.advance(1)
    expected = 0.75 * first + 0.25 * made.generator[0].weight.detach()
    torch.testing.assert_close(made.averaged.module[0].weight.detach(), expected)


def test_mirrored_pictures_are_about_half_of_all_where_the_protocol_says_so() -> None:
    SEEN.clear()
    trainer("none", Watching(), flips=True, batch_size=500).advance(1)
    mirrored, plain = SEEN.pop(), []
    trainer("none", Watching(), batch_size=500).advance(1)
    plain = SEEN.pop()
    same = (mirrored == plain).flatten(1).all(1)
    assert torch.equal(mirrored[~same], plain[~same].flip(3))
    assert 0.4 < same.float().mean() < 0.6


def test_a_linear_decay_ends_at_a_learning_rate_of_0() -> None:
    made = trainer("none", decay="linear", steps=2)
    made.advance(2)
    before = made.critic[0].weight.detach().clone()
    made.advance(1)
    assert torch.equal(made.critic[0].weight.detach(), before)


def test_a_nan_is_named_with_its_step_although_losses_are_read_later() -> None:
    made = trainer("none")
    made.advance(2)
    step, update = iter(range(100)), made.update_critic
    made.update_critic = lambda real, fake: update(real * (float("nan") if next(step) == 3 else 1.0), fake)  # type: ignore[method-assign]  # spoiled on purpose
    with pytest.raises(Diverged, match="critic loss is not finite at step 6") as diverged:
        made.advance(10)
    assert diverged.value.step == 6


class Exploding(Method):
    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return real

    def penalty(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return grad_norm.mean() * float("inf")


def test_an_infinite_penalty_counts_as_divergence_of_the_critic() -> None:
    with pytest.raises(Diverged, match="critic loss is not finite at step 1"):
        trainer(Exploding()).advance(1)


@pytest.mark.parametrize(
    ("methods", "loss"),
    [
        (("wc",), "wasserstein"),
        (("sn", "gp"), "wasserstein"),
        (("gn",), "relativistic"),
        (("ct", "dragan", "r2"), "wasserstein"),
        (("alp", "r1r2", "max_gp", "zero_gp", "wgan_div"), "relativistic"),
    ],
)
def test_training_goes_on_from_a_saved_state_bit_by_bit(methods: tuple[str, ...], loss: str, tmp_path: Any) -> None:
    def made() -> Trainer:
        return under(loss, *methods, flips=True)

    straight = made()
    straight.advance(6)
    first = made()
    first.advance(4)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second = made()
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    second.advance(2)
    expected, found = straight.state_dict(), second.state_dict()
    for part in ("generator", "critic", "averaged", "streams"):
        torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)


class Jitter(nn.Module):
    """Draws from NumPy's global random numbers while it is trained."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.critic(x + (np.random.uniform(-0.2, 0.2) if self.training else 0))
        return out


def test_a_critic_that_draws_from_numpy_goes_on_bit_by_bit() -> None:
    def jittered() -> Trainer:
        made = trainer("wc")
        made.critic = Jitter(made.critic)
        return made

    with seeded(0, "training"):
        straight = jittered()
        straight.advance(4)
    with seeded(0, "training"):
        first = jittered()
        first.advance(2)
        state = first.state_dict()
        np.random.seed(5)
        second = jittered()
        second.load_state_dict(state)
        second.advance(2)
    torch.testing.assert_close(second.critic.state_dict(), straight.critic.state_dict(), rtol=0, atol=0)


def test_losses_do_not_depend_on_the_stretches_they_are_read_in() -> None:
    whole, parts = trainer("gn"), trainer("gn")
    expected = whole.advance(4)["critic_loss"]
    assert parts.advance(1)["critic_loss"] + parts.advance(3)["critic_loss"] == expected


def test_a_pause_ends_a_stretch_after_the_step_under_way() -> None:
    made = trainer("gn")
    assert len(made.advance(4, lambda: made.step == 2)["critic_loss"]) == made.step == 2


def test_a_critic_that_changes_its_ways_goes_on_by_double_backward_and_the_reason_is_kept() -> None:
    class Moody(nn.Module):
        def __init__(self, critic: nn.Module) -> None:
            super().__init__()
            self.critic, self.smooth = critic, False

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.critic(x.tanh() if self.smooth else x)
            return out

    made = trainer("gn")
    made.critic = Moody(made.critic)
    made.advance(1)
    assert made.engine_name == "three-sweep"
    made.critic.smooth = True
    losses = made.advance(2)
    assert made.engine_name == "double-backward"
    assert made.engine.reason == "at critic step 2 the three sweeps did not know tanh"
    assert all(math.isfinite(loss) for each in losses.values() for loss in each)


class Comparing(Wasserstein):
    """Notes what the generator's loss is given."""

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]  # see `Loss.generator`
        GIVEN.append(real)
        return (real - fake).mean()


GIVEN: list[Tensor] = []


@pytest.mark.parametrize("method", ["wc", "gn"])
def test_a_loss_that_compares_gets_the_scores_of_the_steps_real_pictures_as_constants(method: str) -> None:
    SEEN.clear()
    made = under(Comparing(), method, Watching(), critic_steps=2, batch_size=40, generator_batch_size=100)
    made.advance(1)
    real, last = GIVEN[-1], SEEN[-1]
    assert (real.shape, real.requires_grad) == ((100,), False)
    expected = made.composition.score(*values_and_norms(made.critic, last))
    torch.testing.assert_close(real, torch.cat([expected, expected, expected[:20]]))


def test_a_loss_that_compares_sees_as_many_real_pictures_as_the_generator_makes() -> None:
    under(Comparing(), "none", generator_batch_size=8).advance(1)
    assert GIVEN[-1].shape == (8,)


def test_a_generator_step_by_itself_takes_the_next_pictures_to_compare_with() -> None:
    assert under("relativistic", "none").generator_step().isfinite()
