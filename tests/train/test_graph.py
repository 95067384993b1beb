"""Steps as graphs, on a CPU by a stand-in that repeats what was noted."""

from typing import Any

import pytest
import torch

from lipbench.train import adam, host
from lipbench.train.graph import WARM, Graphs
from tests.train.recording import Recording
from tests.train.test_critic_alone import alone
from tests.train.test_loop import trainer

STEPS = WARM + 4


@pytest.fixture(autouse=True)
def _on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep learning rates where a graph sees them."""
    monkeypatch.setattr(adam, "GRAPHED", ("cpu",))
    # The checks of types, which are made in tests alone, draw from Python's numbers.
    kept = host.of_random_numbers
    monkeypatch.setattr(host, "of_random_numbers", lambda: {k: v for k, v in kept().items() if "Python" not in k})


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
    ],
)
def test_steps_by_a_graph_are_those_that_are_made_one_by_one(methods: tuple[str, ...], changes: dict[str, Any]) -> None:
    single, by_graph = trainer(*methods, **changes), trainer(*methods, **changes)
    backend = graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert (by_graph.graphs.reason, backend.captured) == (None, 1)  # type: ignore[union-attr]  # it was set above
    torch.testing.assert_close(by_graph.state_dict(), single.state_dict(), rtol=0, atol=0)


def test_a_critic_alone_is_trained_by_a_graph_as_well() -> None:
    single, by_graph = alone("lp"), alone("lp")
    backend = graphed(by_graph)
    assert by_graph.advance(STEPS) == single.advance(STEPS)
    assert backend.captured == 1
    torch.testing.assert_close(by_graph.state_dict(), single.state_dict(), rtol=0, atol=0)
