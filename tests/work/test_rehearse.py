"""One step and one measurement before any run begins."""

from pathlib import Path

import pytest
import torch

from lipbench.errors import RequestError
from tests.work.cells import HALVES, checked, method_file


def test_what_only_a_whole_step_shows_is_refused_before_any_run(tmp_path: Path) -> None:
    nets = (
        "import torch\nclass Once(torch.autograd.Function):\n    @staticmethod\n"
        "    def forward(ctx, x): return 2 * x\n    @staticmethod\n"
        "    @torch.autograd.function.once_differentiable\n    def backward(ctx, g): return 2 * g\n"
        "class Fused(nn.Module):\n    def forward(self, x): return Once.apply(x)\n"
        "def make(shape, latent_dim):\n    g, c = small(shape, latent_dim)\n    return g, nn.Sequential(Fused(), c)\n"
    )
    expected = (
        "making one step of training: RuntimeError: .*once_differentiable.*expected .*differentiated, twice where"
    )
    with pytest.raises(RequestError, match=expected):
        checked(tmp_path, "gp", nets=nets)
    checked(tmp_path, "wc", nets=nets)


def test_a_loss_that_is_not_finite_at_the_first_step_is_no_result(tmp_path: Path) -> None:
    path = method_file(tmp_path, "def score(self, value, grad_norm): return value * float('inf')")
    with pytest.raises(RequestError, match="making one step of training: critic loss is not finite at step 1"):
        checked(tmp_path, path)


def test_the_forecast_holds_all_steps_and_the_checkpoint(tmp_path: Path) -> None:
    one, ten = (checked(tmp_path, "wc", train__steps=steps).forecast for steps in (1, 10_000_000))
    assert 0 < one.seconds < ten.seconds
    assert one.disk == pytest.approx(ten.disk, rel=0.01)
    assert 400_000 < one.disk < 4_000_000  # 99,490 weights, their averages and Adam's moments


@pytest.mark.parametrize(("curve", "evaluations"), [("", 3), ("digits-cnn", 1)])
def test_the_forecast_holds_every_evaluation_of_a_slow_extractor(tmp_path: Path, curve: str, evaluations: int) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text(HALVES)
    forecast = checked(
        tmp_path, "wc", train__steps=9, evaluate__extractor=str(slow), evaluate__curve_extractor=curve
    ).forecast
    assert round(forecast.seconds / (64 * 1e4), 2) == evaluations


@pytest.mark.parametrize("methods", ["none", "gp", "sn+gn"])
def test_threads_and_random_numbers_are_afterwards_as_before(tmp_path: Path, methods: str) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    checked(tmp_path, methods, train__threads=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
