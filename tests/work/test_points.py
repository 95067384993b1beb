"""The work on cells that train a generator of points."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench.disk import drawn
from lipbench.disk.store import RunFolder, Status
from lipbench.measures import is_taken
from lipbench.request.plan import plan
from lipbench.work.points import Points
from lipbench.work.prepare import create
from tests.conftest import TINY_OF, MakeRun
from tests.work.cells import PERCEPTRONS, SPOILT, error, nets_file, result
from tests.work.test_run import TIMES

COUNTED = ("sample_w1", "modes", "modes_covered", "modes_kl", "high_quality")
CRITIC = ("grad_norm_mean", "grad_norm_real_max", "secant_pairs", "raw_grad_norm_max")
FULL = ("secant_max", "tv_gap", "grad_norm_noise_max", "raw_secant_max")


def drawn_of(folder: RunFolder) -> drawn.Arrays:
    found = drawn.read(folder)
    assert found is not None
    return found


def made(methods: str = "gn", *, protocol: str = "modes", datasets: str = "ring", **overrides: Any) -> Points:
    changed: dict[str, Any] = {key.replace("__", "."): value for key, value in overrides.items()}
    (planned,) = plan(methods, datasets, [0], protocol, TINY_OF.get(protocol, {}) | changed)
    job = create(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    assert isinstance(job, Points)
    return job


@pytest.mark.parametrize(("methods", "guarantee"), [("gn", "almost everywhere"), ("sn+gp", "layerwise + soft")])
def test_a_finished_run_has_everything_that_the_table_needs(make_run: MakeRun, methods: str, guarantee: str) -> None:
    folder = make_run(methods, protocol="modes", finished=True)
    found, lines = result(folder), folder.trace()[0]
    assert folder.status() is Status.DONE
    for name in (*COUNTED, *CRITIC, *FULL, "critic_loss", "generator_loss", *TIMES):
        assert isinstance(found[name], int | float), name
    assert (found["step"], found["samples"], found["modes"], found["guarantee"]) == (6, 64, 8, guarantee)
    assert [line["step"] for line in lines] == [3, 6]
    assert lines[0].keys() >= {*COUNTED, *CRITIC, "critic_loss", "generator_loss"}
    assert not lines[0].keys() & set(FULL)
    assert all(map(is_taken, found.keys() | lines[0].keys()))
    assert found["points"] == made().distribution.digest
    assert found["fid_best"] is None
    assert "dynamics" not in found
    assert not folder.file("samples.png").exists()


def test_samples_of_every_evaluation_are_kept_and_the_critics_plane_of_the_last(make_run: MakeRun) -> None:
    folder = make_run("gn", protocol="modes", finished=True, train__steps=8)
    found = drawn_of(folder)
    assert found["steps"].tolist() == [3, 6, 8]
    assert found["samples"].shape == (3, 64, 2)
    assert all((one != other).any() for one, other in zip(found["samples"], found["samples"][1:], strict=False))
    assert found["real"].shape == (64, 2)
    assert found["score"].ndim == 2
    assert abs(found["score"]).max() <= 1  # as gradient normalisation has it


def test_a_dirac_gan_tells_its_trajectory_and_at_the_end_its_field(make_run: MakeRun) -> None:
    folder = make_run("none", protocol="dirac", finished=True, train__steps=8, evaluate__every=1)
    found, lines = result(folder), folder.trace()[0]
    assert len(lines) == 8
    assert all(line.keys() >= {"theta", "psi", "sample_w1"} for line in lines)
    assert [line["sample_w1"] for line in lines] == pytest.approx([abs(line["theta"]) for line in lines], rel=1e-6)
    assert [("grad_norm_mean" in line) for line in lines] == [False] * 7 + [True]
    assert found["grad_norm_mean"] == pytest.approx(abs(found["psi"]), rel=1e-5)
    assert found["dynamics"] in ("cycles", "diverges", "stuck")  # of eight steps, a part of a turn
    assert drawn_of(folder).keys() == {"steps", "field_from", "field_to"}
    assert all(map(is_taken, found.keys() | lines[0].keys()))


def test_a_dirac_gan_beyond_all_numbers_diverges_however_short_it_was(make_run: MakeRun) -> None:
    rates = {"train__learning_rate": 1e6, "train__generator_learning_rate": 1e6}
    folder = make_run("none", protocol="dirac", finished=True, evaluate__every=1, **rates)
    found = result(folder)
    assert (found["status"], found["dynamics"]) == ("diverged", "diverges")
    assert 1 < found["diverged_at"] < 6


@pytest.mark.parametrize("data", ["grid[side=2]", "swiss-roll", "two_moons[std=0.1]"])
def test_every_distribution_can_be_trained_on(make_run: MakeRun, data: str) -> None:
    folder = make_run("sn", protocol="modes", datasets=data, finished=True, train__steps=3)
    assert folder.status() is Status.DONE
    found = result(folder)
    assert found["sample_w1"] > 0
    assert (found.get("modes"), "high_quality" in found) == (4 if data.startswith("grid") else None, True)


def test_yardsticks_are_real_points_and_noise_in_their_range() -> None:
    job = made(evaluate__samples=200)
    real, other = (job._real(200, number) for number in range(2))
    assert not torch.equal(real, other)
    assert torch.equal(real, made("sn")._real(200, 0))
    close, far = job._compare(other, real), job._compare(torch.zeros_like(real), real)
    assert (close["samples"], close["modes_covered"], far["modes_covered"]) == (200, 8, 0)
    assert close["sample_w1"] < far["sample_w1"] == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("methods", ["sn", "gp", "gn"])
def test_one_seed_gives_every_method_the_same_latents_and_real_points_to_compare_with(methods: str) -> None:
    one, other = (made(name).evaluate(final=False)[1] for name in ("none", methods))
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    for name in ("samples", "real"):  # before training the generators are equal, too
        assert (one[name] == other[name]).all()


@pytest.mark.parametrize("spoilt", ["generator[0]", "critic[1]"])
def test_weights_that_turn_nan_in_the_very_last_step_count_as_divergence(
    make_run: MakeRun, tmp_path: Path, spoilt: str
) -> None:
    nets = nets_file(tmp_path, SPOILT.format(spoilt), PERCEPTRONS)
    folder = make_run("none", protocol="modes", finished=True, architecture=nets, train__steps=3)
    assert (result(folder)["status"], result(folder)["diverged_at"]) == ("diverged", 3)
    assert "is not finite at step 3" in error(folder)["message"]


COLLAPSED = """
class Collapsed(nn.Module):
    def __init__(self, latents):
        super().__init__()
        self.place = nn.Linear(latents, 2)
    def forward(self, x):
        return self.place(0 * x)[..., None, None]
def make(shape, latents): return Collapsed(latents), small(shape, latents)[1]
"""
CONSTANT = """
class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.randn(1))
    def forward(self, x):
        return self.level + 0 * x.flatten(1).sum(1)
def make(shape, latents): return small(shape, latents)[0], Constant()
"""


@pytest.mark.parametrize("nets", [COLLAPSED, CONSTANT], ids=["collapsed generator", "constant critic"])
@pytest.mark.parametrize("methods", ["gn", "gp"])
def test_networks_that_have_nothing_to_say_give_finite_numbers(
    make_run: MakeRun, tmp_path: Path, nets: str, methods: str
) -> None:
    path = nets_file(tmp_path, "import torch\n" + nets, PERCEPTRONS)
    folder = make_run(methods, protocol="modes", finished=True, architecture=path, train__steps=3)
    found = result(folder)
    assert found["status"] == "done"
    assert all(math.isfinite(found[name]) for name in (*COUNTED, *CRITIC, *FULL))
    if nets is COLLAPSED:
        assert found["modes_covered"] <= 1
        assert found["modes_kl"] == pytest.approx(math.log(8))
    else:
        assert found["grad_norm_mean"] == found["secant_max"] == 0
    assert all(math.isfinite(each.sum()) for each in drawn_of(folder).values())


MEASURE = (
    '"""Mine."""\nfrom lipbench import Measure\nclass Spread(Measure):\n    def {}(self, fake, real):\n        {}\n'
)


def test_a_measure_of_points_sees_as_many_generated_and_real_ones(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "spread.py"
    path.write_text(MEASURE.format("of_points", "return float(fake.shape == real.shape == (64, 2, 1, 1))"))
    folder = make_run("gn", protocol="modes", finished=True, evaluate__measures=str(path))
    assert [line["spread"] for line in folder.trace()[0]] == [1, 1]
