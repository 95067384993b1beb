"""No step waits for the host: on torch's ``meta`` device, which has no numbers, whatever reads one fails."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lipbench
from lipbench.train.average import Average
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from lipbench.train.precision import HALF
from lipbench.train.training import Training
from tests import builtin
from tests.train.test_critic_alone import alone
from tests.train.test_loop import trainer

METHODS = sorted(path.stem for path in Path(lipbench.__file__).parents[1].glob("methods/[a-z]*.py"))
META = torch.device("meta")


class NoNumbers:
    """Streams of numbers that do not exist."""

    def __getitem__(self, name: str) -> torch.Generator:
        return torch.Generator()

    def latents(self, count: int, latent_dim: int) -> Tensor:
        return torch.empty(count, latent_dim, device=META)

    def batch(self, index: int, batch_size: int, total: int, place: torch.device) -> Tensor:
        return torch.empty(batch_size, dtype=torch.long, device=META)


class NoPair:
    """Points that do not exist."""

    def sample(self, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return torch.empty(count, 2, 1, 1, device=META), torch.empty(count, 2, 1, 1, device=META)


def moved(made: Training) -> Any:
    """The same training on the meta device."""
    others = {"pair": NoPair()}
    if hasattr(made, "generator"):
        others = {
            "generator": made.generator.to(META),
            "averaged": Average(made.generator, 0.5),
            "pictures": made.pictures.to(META),  # type: ignore[attr-defined]  # as it has a generator
        }
    networks = {"critic": made.critic.to(META), **others}
    for name, value in {**networks, "device": META, "streams": NoNumbers()}.items():
        setattr(made, name, value)
    return made


@pytest.fixture(autouse=True)
def _on_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the device does not have: autocast (the sweeps' own precision remains), and generators."""
    draw = torch.rand
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: nullcontext())
    monkeypatch.setattr(torch, "rand", lambda *shape, generator, **options: draw(*shape, **options))


@pytest.mark.parametrize(
    ("method", "loss", "precision"),
    [
        *((method, "wasserstein", "float32") for method in METHODS),
        *((method, "hinge", "bfloat16") for method in METHODS),
        *((method, loss, "float32") for method in ("none", "gn") for loss in ("hinge", "logistic", "relativistic")),
    ],
)
def test_no_step_waits_for_the_host(method: str, loss: str, precision: str) -> None:
    steps_without_numbers(trainer(method, flips=True, decay="linear"), loss, precision)


def test_no_step_of_a_critic_alone_waits_either() -> None:
    steps_without_numbers(alone("ortho"), "wasserstein", "float32")


def steps_without_numbers(made: Any, loss: str, precision: str) -> None:
    made.loss = builtin.loss(loss)
    made = moved(made)
    if isinstance(made.engine, ThreeSweeps):
        made.engine = ThreeSweeps(HALF.get(precision))
    for _ in range(2):
        made._make_step()


def test_a_step_that_reads_a_number_would_fail() -> None:
    made = moved(trainer("wc"))
    project = made.composition.project
    made.composition.project = lambda critic: (project(critic), float(next(critic.parameters()).sum()))
    with pytest.raises(RuntimeError, match="meta"):
        made._make_step()
