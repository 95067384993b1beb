"""The same from Python."""

import pickle
from pathlib import Path

import pytest
import torch

import lipbench
from lipbench.errors import RequestError, StoreError
from tests.conftest import TINY, MakeRun


@pytest.mark.slow
def test_run_and_report_do_what_the_commands_do(tmp_path: Path) -> None:
    summary = lipbench.run("gn", seeds=[0], overrides=TINY, results=tmp_path, jobs=1)
    assert summary.complete
    (name,) = summary.statuses
    report = lipbench.report(tmp_path)
    assert list(report.runs["run_id"]) == [name]
    assert report.page.is_file()


def test_a_loaded_generator_makes_the_pictures_of_the_last_evaluation(make_run: MakeRun, tmp_path: Path) -> None:
    from lipbench.measuring.images import generate, grid_png
    from lipbench.work.adversarial import latents

    folder = make_run("sn+gp", finished=True)
    before = torch.get_rng_state()
    loaded = lipbench.load(folder.id, results=tmp_path / "results")
    assert torch.equal(torch.get_rng_state(), before)
    assert not loaded.generator.training
    pictures = generate(loaded.generator, latents(loaded.cell, 64, torch.device("cpu")))[:64]
    assert grid_png(pictures, columns=8) == folder.file("samples.png").read_bytes()
    assert loaded.critic(torch.zeros(2, 1, 8, 8)).shape == (2, 1)
    assert [line["step"] for line in loaded.trace] == [3, 6]


def test_a_run_without_a_checkpoint_cannot_be_loaded(make_run: MakeRun) -> None:
    with pytest.raises(StoreError, match="has no checkpoint yet"):
        lipbench.load(make_run("gn").path)


def test_the_package_names_what_it_offers() -> None:
    assert set(lipbench.__all__) <= set(dir(lipbench))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = lipbench.nothing


def test_errors_survive_being_sent_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(RequestError("why")))
    assert str(error) == "why"
