"""Two whole training steps of each method on cnn-32, spelled out by plain autograd from the same weights."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lipbench.interfaces.dataset import to_unit
from lipbench.request import protocol
from lipbench.train.composition import Composition
from lipbench.train.gradients.choose import choose
from lipbench.train.loop import Trainer
from lipbench.train.streams import Streams
from tests.builtin import loss as built_in_loss
from tests.builtin import networks
from tests.methods.test_methods import create

SEED, COUNT, STEPS = 3, 4, 2
SETTINGS = protocol.check(
    protocol.read("cifar10-cnn"),
    {
        "train.steps": 10,
        "train.batch_size": COUNT,
        "train.generator_batch_size": COUNT,
        "train.flips": False,
        "train.decay": "none",
        "train.learning_rate": 1e-3,
        "train.generator_learning_rate": 1e-3,
    },
).train
PICTURES = torch.randint(0, 256, (16, 3, 32, 32), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    """Adam's first step is the sign of a gradient: in single precision a rounding error would turn some around."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def normalise(vector: Tensor) -> Tensor:
    return vector / vector.norm()


class SpectrallyNormalised(nn.Module):
    """Miyato's critic by hand: one power iteration a pass, then every weight divided by its singular value."""

    def __init__(self, critic: nn.Module, start: nn.Module) -> None:
        super().__init__()
        self.critic = critic
        layers: list[Any] = [layer for layer in start.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        self.left = [layer.parametrizations.weight[0]._u.clone() for layer in layers]
        self.right = [layer.parametrizations.weight[0]._v.clone() for layer in layers]

    def forward(self, x: Tensor) -> Tensor:
        named = [(name, weight) for name, weight in self.critic.named_parameters() if weight.dim() > 1]
        divided = {}
        for row, (name, weight) in enumerate(named):
            matrix = weight.flatten(1)
            with torch.no_grad():
                self.left[row] = normalise(matrix @ self.right[row])
                self.right[row] = normalise(matrix.T @ self.left[row])
            divided[name] = weight / (self.left[row] @ matrix @ self.right[row])
        out: Tensor = torch.func.functional_call(self.critic, divided, (x,))
        return out


def gradient(critic: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient norm, both differentiable once more."""
    x = x if x.requires_grad else x.requires_grad_()
    value = critic(x)[:, 0]
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    return value, slope.pow(2).sum(dim=(1, 2, 3)).sqrt()


def score(method: str, critic: nn.Module, x: Tensor) -> Tensor:
    if method != "gn":
        out: Tensor = critic(x)[:, 0]
        return out
    value, norm = gradient(critic, x)
    return value / (norm + value.abs())


def by_hand(method: str, loss: str, generator: nn.Module, critic: nn.Module, start: nn.Module) -> list[float]:
    """The losses of critic and generator at each step."""
    draws = Streams(SEED, torch.device("cpu"))
    seen = SpectrallyNormalised(critic, start) if method == "sn" else critic
    adams = [torch.optim.Adam(net.parameters(), 1e-3, (0.0, 0.9)) for net in (critic, generator)]
    made = []
    for step in range(STEPS):
        real = to_unit(PICTURES[draws.batch(step, COUNT, len(PICTURES))])
        fake = generator(draws.latents(COUNT, 128)).detach()
        scores = score(method, seen, torch.cat([real, fake]))
        of_real, of_fake = scores[:COUNT], scores[COUNT:]
        if loss == "wasserstein":
            critic_loss = of_fake.mean() - of_real.mean()
        elif loss == "hinge":
            critic_loss = F.relu(1 - of_real).mean() + F.relu(1 + of_fake).mean()
        else:
            critic_loss = F.binary_cross_entropy_with_logits(of_real, torch.ones(COUNT))
            critic_loss = critic_loss + F.binary_cross_entropy_with_logits(of_fake, torch.zeros(COUNT))
        if method == "gp":
            mix = torch.rand(COUNT, 1, 1, 1, generator=draws["penalty"])
            _, norm = gradient(critic, mix * real + (1 - mix) * fake)
            critic_loss = critic_loss + 10 * ((norm - 1) ** 2).mean()
        adams[0].zero_grad()
        critic_loss.backward()
        adams[0].step()
        if method == "wc":
            with torch.no_grad():
                for weight in critic.parameters():
                    weight.clamp_(-0.01, 0.01)
        scores = score(method, seen, generator(draws.latents(COUNT, 128)))
        if loss == "logistic":
            generator_loss = F.binary_cross_entropy_with_logits(scores, torch.ones(COUNT))
        else:
            generator_loss = -scores.mean()
        adams[1].zero_grad()
        generator_loss.backward()
        adams[1].step()
        made += [critic_loss.item(), generator_loss.item()]
    return made


@pytest.mark.parametrize(
    ("method", "loss"), [("wc", "wasserstein"), ("gp", "wasserstein"), ("sn", "hinge"), ("gn", "logistic")]
)
def test_the_losses_are_those_of_steps_written_by_hand(method: str, loss: str) -> None:
    generator, critic = networks("cnn-32", (3, 32, 32), 128)
    for weight in critic.parameters():  # steeper than it starts, so that losses are not all about 0
        weight.data *= 2
    plain = deepcopy(generator), deepcopy(critic)
    parameters = {"bound": 0.01} if method == "wc" else {}
    composition = Composition((create(method, **parameters),))
    constrained = composition.constrain(critic)
    wanted = by_hand(method, loss, *plain, start=deepcopy(constrained))
    engine = choose(constrained, (3, 32, 32))
    trainer = Trainer(generator, constrained, composition, built_in_loss(loss), PICTURES, SETTINGS, engine, SEED)
    found = [value for _ in range(STEPS) for (value,) in trainer.advance(1).values()]
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    assert max(map(abs, wanted)) > 0.1
