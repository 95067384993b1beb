"""The precision in which networks compute."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lipbench.errors import RequestError
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Term
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from lipbench.train.precision import autocast, set_precision
from tests.builtin import networks
from tests.conftest import MakeRun

CPU = torch.device("cpu")


def score(value: Tensor, norm: Tensor) -> Tensor:
    assert value.dtype == norm.dtype == torch.float32  # where differences and quotients are made
    return (value / (norm + value.abs() + 1e-12)).mean()


def gradients(engine: Any, critic: nn.Module, terms: list[Term]) -> Tensor:
    critic.zero_grad()
    with autocast("bfloat16" if isinstance(engine, DoubleBackward) else "float32", CPU):
        engine.accumulate(critic, terms)
    return torch.cat([weight.grad.flatten() for weight in critic.parameters() if weight.grad is not None])


def test_bfloat16_gives_float32s_gradients_within_its_rounding_by_both_engines() -> None:
    critic = networks("cnn-8", (1, 8, 8), 8)[1]
    points = torch.randn(16, 1, 8, 8)
    terms = [Term(points, score), Term(points, lambda value, norm: (norm - 1).square().mean(), rows=slice(0, 8))]
    exact = gradients(ThreeSweeps(), critic, terms)
    for engine in (ThreeSweeps(torch.bfloat16), DoubleBackward()):
        rounded = gradients(engine, critic, terms)
        assert rounded.dtype == torch.float32
        assert (rounded - exact).norm() / exact.norm() < 0.03
        assert not torch.equal(rounded, exact)


@pytest.mark.parametrize("methods", ["gn", "sn+gp", "wc"])
def test_a_run_in_bfloat16_is_recorded_as_such_and_as_another_comparison(make_run: MakeRun, methods: str) -> None:
    half, full = (make_run(methods, finished=True, **changes) for changes in ({"train__precision": "bfloat16"}, {}))
    for folder, name in ((half, "bfloat16"), (full, None)):
        assert folder.status() == "done", folder.read_json("error.json")
        assert ('"precision":"bfloat16"' in folder.cell_text().replace(" ", "")) == (name is not None)
    assert (half.read_json("result.json") or {})["engine"] == (full.read_json("result.json") or {})["engine"]


def test_tf32_is_refused_on_a_cpu() -> None:
    with pytest.raises(RequestError, match="tf32 needs an NVIDIA GPU from Ampere on, not cpu; expected float32"):
        set_precision("tf32", CPU)
