"""Training on a real GPU: the losses of a CPU, no waits, and graphs that do what steps do.

``python -m pytest tests/train/test_on_a_gpu.py`` on a machine that has one; elsewhere it is skipped.
"""

import pytest
import torch

from lipbench.train import host
from lipbench.train.graph import SWITCH, WARM, Cuda
from lipbench.train.loop import Trainer
from lipbench.train.precision import set_precision
from tests.train.test_loop import trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
METHODS = ["none", "wc", "sn", "gp", "gn", "lp", "r1", "gran", "gn_tau"]
STEPS = 3 * WARM


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in float32 proper, where no test asks for another precision; checks of types draw Python's numbers."""
    if torch.cuda.is_available():
        set_precision("float32", torch.device("cuda"))
    monkeypatch.setattr(host, "of_random_numbers", dict)


def equal_weights(made: Trainer, other: Trainer) -> None:
    made.critic.load_state_dict(other.critic.state_dict())
    made.generator.load_state_dict(other.generator.state_dict())


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("gp", "lp")])  # which draw on the device
def test_a_gpu_gives_the_losses_of_a_cpu(method: str) -> None:
    sides = [trainer(method), trainer(method, device="cuda")]
    equal_weights(sides[1], sides[0])
    rng = torch.Generator().manual_seed(1)
    for _ in range(3):
        real, fake = torch.rand(2, 16, 1, 8, 8, generator=rng) * 2 - 1
        first, second = (float(side.update_critic(real.to(side.device), fake.to(side.device))) for side in sides)
        assert second == pytest.approx(first, rel=5e-3, abs=1e-5)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("method", METHODS)
def test_no_step_waits_for_the_gpu(method: str, precision: str) -> None:
    set_precision(precision, torch.device("cuda"))
    made = trainer(method, device="cuda", precision=precision, flips=True, decay="linear")
    made.graphs = None
    made.advance(2)
    with Cuda(made.device).waits() as found:
        for _ in range(3):
            made._make_step()
    assert found == []


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("method", METHODS)
def test_a_graph_does_what_steps_do(method: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_precision(precision, torch.device("cuda"))
    by_graph = trainer(method, device="cuda", precision=precision, flips=True, critic_steps=2)
    found = by_graph.advance(STEPS)
    assert by_graph.graphs is not None
    assert (by_graph.graphs.reason, by_graph.graphs.is_used) == (None, True)
    monkeypatch.setenv(SWITCH, "0")
    single = trainer(method, device="cuda", precision=precision, flips=True, critic_steps=2)
    expected = single.advance(STEPS)
    assert single.graphs is not None
    assert not single.graphs.is_used
    rough = {"float32": 1e-2, "tf32": 5e-2, "bfloat16": 2e-1}[precision]
    for name, losses in expected.items():
        assert found[name] == pytest.approx(losses, rel=rough, abs=rough)
    for mine, theirs in zip(by_graph.streams.generators, single.streams.generators, strict=True):
        assert torch.equal(mine.get_state(), theirs.get_state())


def test_a_run_goes_on_from_a_checkpoint_with_a_graph() -> None:
    straight, first = trainer("gn", device="cuda"), trainer("gn", device="cuda")
    expected = straight.advance(2 * STEPS)["critic_loss"]
    found = first.advance(STEPS)["critic_loss"]
    second = trainer("gn", device="cuda")
    second.load_state_dict(first.state_dict())
    found += second.advance(STEPS)["critic_loss"]
    assert found == pytest.approx(expected, rel=1e-2, abs=1e-2)
    assert second.graphs is not None
    assert second.graphs.is_used
