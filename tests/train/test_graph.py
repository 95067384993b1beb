"""Steps as graphs, on a CPU by a stand-in that repeats what was noted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.train import host, optimiser
from lipbench.train.graph import WARM, Graphs
from lipbench.train.loop import Trainer
from tests.train.recording import Recording
from tests.train.test_critic_alone import alone
from tests.train.test_loop import trainer, under
from tests.train.test_training_points import pointed

STEPS = WARM + 4


@pytest.fixture(autouse=True)
def _on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep learning rates where a graph sees them."""
    monkeypatch.setattr(optimiser, "GRAPHED", ("cpu",))
    # The checks of types, which are made in tests alone, draw from Python's numbers.
    kept = host.of_random_numbers
    monkeypatch.setattr(host, "of_random_numbers", lambda: {k: v for k, v in kept().items() if "Python" not in k})


def assert_equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """See that two states of training are equal to the last bit."""
    for part in found.keys() - {"global_random_python"}:
        torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)


def graphed(made: Any) -> Recording:
    backend = Recording(made)
    made.graphs = Graphs(made, backend)
    return backend


@pytest.mark.parametrize(
    ("methods", "changes"),
    [
        (("wc",), {}),
        (("sn",), {"decay": "linear", "steps": STEPS}),
        (("gp",), {"critic_steps": 2, "flips": True}),
        (("gn",), {"decay": "linear", "steps": 2 * STEPS}),
        (("sn", "r1"), {"ema_decay": 0.5}),
        (("ct",), {}),
        (("alp", "r1r2"), {"flips": True}),
    ],
)
def test_steps_by_a_graph_are_those_that_are_made_one_by_one(methods: tuple[str, ...], changes: dict[str, Any]) -> None:
    single, by_graph = trainer(*methods, **changes), trainer(*methods, **changes)
    backend = graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert (by_graph.graphs.reason, backend.captured) == (None, 1)  # type: ignore[union-attr]  # it was set above
    assert_equal(by_graph.state_dict(), single.state_dict())


def test_a_loss_that_compares_sees_the_pictures_of_each_step_by_a_graph_as_well() -> None:
    single, by_graph = (under("relativistic", "gn", flips=True, generator_batch_size=80) for _ in range(2))
    graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert by_graph.graphs.is_used  # type: ignore[union-attr]  # it was set above
    assert_equal(by_graph.state_dict(), single.state_dict())


def test_a_critic_alone_is_trained_by_a_graph_as_well() -> None:
    single, by_graph = alone("lp"), alone("lp")
    backend = graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert backend.captured == 1
    assert_equal(by_graph.state_dict(), single.state_dict())


@pytest.mark.parametrize(
    ("methods", "changes"),
    [
        (("gn",), {"critic_steps": 2}),
        (("sn", "gp"), {"optimiser": "sgd", "decay": "linear", "steps": STEPS}),
        (("r1",), {"optimiser": "sgd", "betas": [0.9, 0.0]}),
    ],
)
def test_steps_on_points_by_a_graph_are_those_that_are_made_one_by_one(
    methods: tuple[str, ...], changes: dict[str, Any]
) -> None:
    single, by_graph = pointed(*methods, **changes), pointed(*methods, **changes)
    backend = graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert (by_graph.graphs.reason, backend.captured) == (None, 1)  # type: ignore[union-attr]  # it was set above
    assert_equal(by_graph.state_dict(), single.state_dict())


def test_what_the_host_chooses_at_each_step_is_not_frozen() -> None:
    made = trainer("gp", critic_steps=2, flips=True)
    graphed(made)
    made.advance(WARM + 1)
    seen = []
    for _ in range(3):
        before = [made.critic[0].weight.detach().clone(), made.averaged.module[0].weight.detach().clone()]  # type: ignore[index]  # Sequentials
        losses = made.advance(1)
        seen.append(tuple(loss for each in losses.values() for loss in each))
        assert not torch.equal(made.critic[0].weight, before[0])  # type: ignore[index]  # a Sequential
        assert not torch.equal(made.averaged.module[0].weight, before[1])  # type: ignore[index]  # a Sequential
    assert len(set(seen)) == 3


class Lazy(Method):
    """A penalty at each third step."""

    every: int = 3

    def penalty_points(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return real + torch.randn(real.shape, generator=rng)

    def penalty(self, value: Tensor, grad_norm: Tensor) -> Tensor:
        return grad_norm.mean()


def test_there_is_a_graph_for_each_pattern_of_penalties_that_are_due() -> None:
    single, by_graph = trainer(Lazy()), trainer(Lazy())
    backend = graphed(by_graph)
    assert by_graph.advance(15) == single.advance(15)
    assert backend.captured == 2
    assert_equal(by_graph.state_dict(), single.state_dict())


def test_a_run_that_goes_on_from_a_state_captures_anew() -> None:
    straight, made = trainer("gn"), trainer("gn")
    straight.advance(2 * STEPS)
    backend = graphed(made)
    made.advance(STEPS)
    made.load_state_dict(made.state_dict())
    made.advance(STEPS)
    assert backend.captured == 2
    assert_equal(made.state_dict(), straight.state_dict())


class Wrapped(nn.Module):
    """A critic around another."""

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic, self.count = critic, 0
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.critic(x) * self.factor(x)
        return out

    def factor(self, x: Tensor) -> Any:
        return 1


class Counting(Wrapped):
    def factor(self, x: Tensor) -> Any:
        self.count += 1
        return 1 + 1e-6 * self.count


class Replacing(Wrapped):
    def factor(self, x: Tensor) -> Any:
        self.seen = self.seen + 1
        return 1 + 1e-6 * self.seen


class Reading(Wrapped):
    def factor(self, x: Tensor) -> Any:
        return 1 if float(x.detach().mean()) > 0 else 2


class Drawing(Wrapped):
    def factor(self, x: Tensor) -> Any:
        return 1 + 1e-3 * np.random.rand()


ELSEWHERE = iter(range(10**6))


class Sneaking(Wrapped):
    """Goes by something that nobody sees."""

    def factor(self, x: Tensor) -> Any:
        return 1.0 + next(ELSEWHERE)


@pytest.mark.parametrize(
    ("critic", "reason"),
    [
        (Counting, r"a step changes critic\.count on the host"),
        (Replacing, r"a step changes critic\._buffers on the host"),
        (Reading, r"the host waits for the device in a step \(aten\._local_scalar_dense"),
        (Drawing, "a step changes the random numbers of NumPy on the host"),
        (Sneaking, "a graph "),
    ],
)
def test_a_critic_in_which_the_host_takes_part_is_trained_step_by_step_and_the_reason_kept(
    critic: Callable[[nn.Module], nn.Module], reason: str
) -> None:
    def made() -> Trainer:
        np.random.seed(0)
        globals()["ELSEWHERE"] = iter(range(10**6))
        found = trainer("wc")
        found.critic = critic(found.critic)
        return found

    single = made()
    expected = single.advance(STEPS), single.state_dict()  # before anyone else draws
    by_graph = made()
    backend = graphed(by_graph)
    found = by_graph.advance(STEPS)
    assert by_graph.graphs is not None
    assert by_graph.graphs.reason is not None
    assert by_graph.graphs.reason.startswith(reason.replace("\\", ""))
    assert not by_graph.graphs.is_used
    if critic is not Sneaking:  # one more look at it has moved it on
        assert backend.captured == 0
        assert found == expected[0]
        assert_equal(by_graph.state_dict(), expected[1])


def test_what_cannot_be_captured_is_done_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **options: Any) -> Any:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    single, by_graph = trainer("gn"), trainer("gn")
    monkeypatch.setattr(graphed(by_graph), "capture", refuse)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert by_graph.graphs is not None
    assert by_graph.graphs.reason == (
        "a step cannot be captured: CUDA error: operation not permitted when stream is capturing"
    )
    assert_equal(by_graph.state_dict(), single.state_dict())


def test_the_environment_can_ask_for_single_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_CUDA_GRAPH", "0")
    made = trainer("wc")
    backend = graphed(made)
    made.advance(STEPS)
    assert made.graphs is not None
    assert (made.graphs.reason, backend.captured) == ("LIPBENCH_CUDA_GRAPH=0 asks for single steps", 0)


@pytest.mark.parametrize("spoil", ["weights", "draws", "average", "counters"])
def test_a_graph_that_does_something_else_is_not_used(spoil: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a library's kernel is captured wrongly."""
    single, by_graph = trainer("gn"), trainer("gn")
    backend = graphed(by_graph)
    capture = backend.capture

    before = {}

    def wrongly(work: Any, draws: list[torch.Generator], *, first: bool) -> Any:
        found, replay = capture(work, draws, first=first)
        before.update({name: weight.clone() for name, weight in by_graph.averaged.module.named_parameters()})

        def spoilt() -> None:
            replay()
            if spoil == "draws":
                torch.rand(1, generator=by_graph.streams["latents"])
            elif spoil == "counters":
                by_graph.generator[2].num_batches_tracked += 1  # type: ignore[index]  # a Sequential
            elif spoil == "average":  # stays where it was
                for name, weight in by_graph.averaged.module.named_parameters():
                    weight.data.copy_(before[name])
            else:
                by_graph.generator[0].weight.data += 0.1  # type: ignore[index]  # a Sequential

        return found, spoilt

    monkeypatch.setattr(backend, "capture", wrongly)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert by_graph.graphs is not None
    expected = {
        "weights": "a graph changes the generator otherwise than the step does",
        "draws": "a graph draws other random numbers",
        "average": "a graph changes the average otherwise than the step does",
        "counters": "a graph counts its steps otherwise",
    }
    assert by_graph.graphs.reason == expected[spoil]
    assert_equal(by_graph.state_dict(), single.state_dict())
