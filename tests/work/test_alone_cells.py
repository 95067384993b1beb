"""The work on cells that train a critic alone."""

from pathlib import Path
from typing import Any

import pytest
import torch

import lipbench
from lipbench.disk.store import Status
from lipbench.errors import RequestError
from lipbench.launch import FAILED
from lipbench.launch.listener import Listener
from lipbench.measures import is_taken
from lipbench.request.plan import plan
from lipbench.work.prepare import create, prepare
from tests.conftest import TINY, TINY_ALONE, MakeRun
from tests.work.cells import PERCEPTRONS, SPOILT, error, nets_file, result
from tests.work.test_run import NAN, TIMES, go

TRUTH = ("cos", "l2", "w1_estimate", "w1_true")
PROFILE = {f"{raw}{key}" for raw in ("", "raw_") for key in ("secant_max", "secant_1", "secant_0.001", "tv_gap")}


@pytest.mark.parametrize(
    ("methods", "guarantee", "engine"),
    [
        ("gn", "almost everywhere", "three-sweep"),
        ("sn+gp", "layerwise + soft", "three-sweep"),
        ("wc", "layerwise", "plain"),
        ("ortho", "certified", "plain"),
        ("ortho+lp", "certified + soft", "three-sweep"),
    ],
)
def test_a_finished_run_has_everything_that_the_table_needs(
    make_run: MakeRun, methods: str, guarantee: str, engine: str
) -> None:
    folder = make_run(methods, protocol="w1", finished=True)
    found = result(folder)
    assert folder.status() is Status.DONE
    for name in (
        *TRUTH,
        *PROFILE,
        "secant_pairs",
        "raw_secant_pairs",
        "grad_norm_noise_max",
        "critic_loss",
        *TIMES,
    ):
        assert isinstance(found[name], int | float), name
    assert (found["step"], found["guarantee"], found["engine"]) == (6, guarantee, engine)
    assert found["secant_max"] == max(found[f"secant_{at}"] for at in ("1", "0.1", "0.01", "0.001", "pairs"))
    assert found["raw_secant_max"] <= found["raw_lipschitz_bound"]
    assert found["lipschitz_bound"] == (None if methods == "gn" else found["raw_lipschitz_bound"])
    assert (found["no_bound"] is None) == (methods != "gn")
    assert methods[:5] != "ortho" or found["lipschitz_bound"] <= 1 + 1e-5
    assert found["fid_best"] is None
    assert "fid" not in found
    assert len(found["pair"]) == 8
    assert all(map(is_taken, found.keys() | folder.trace()[0][0].keys()))
    assert not folder.file("samples.png").exists()


def test_the_full_profile_is_taken_at_the_end_alone(make_run: MakeRun) -> None:
    first, last = make_run("gn", protocol="w1", finished=True).trace()[0]
    assert (first["step"], last["step"]) == (3, 6)
    assert first.keys() >= {*TRUTH, "secant_pairs", "raw_secant_pairs", "critic_loss"}
    assert not first.keys() & PROFILE
    assert last.keys() >= first.keys() | PROFILE


@pytest.mark.parametrize("data", ["w1[dim=3,funnels=2,seed=1]", "gauss-shift", "gauss_scale[dim=4]", "shells[dim=16]"])
def test_every_pair_can_be_trained_on(make_run: MakeRun, data: str) -> None:
    assert make_run("gn", protocol="w1", datasets=data, finished=True).status() is Status.DONE


def test_a_method_that_changes_nothing_changes_no_number(make_run: MakeRun) -> None:
    one, two = (result(make_run(methods, protocol="w1", finished=True)) for methods in ("none", "wc[bound=1000]"))
    assert {key: one[key] for key in (*TRUTH, *PROFILE)} == {key: two[key] for key in (*TRUTH, *PROFILE)}


def test_a_nan_is_a_result_recorded_at_its_step(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(NAN)
    folder = make_run(f"{path}[after=4]", protocol="w1", finished=True)
    found = result(folder)
    assert (found["status"], found["diverged_at"], found["guarantee"]) == ("diverged", 5, "none")
    assert error(folder)["message"] == "critic loss is not finite at step 5"
    assert found["w1_true"] > 0


@pytest.mark.parametrize("methods", ["wc", "gn"])
def test_a_critic_that_turns_nan_in_the_very_last_step_counts_as_divergence(
    make_run: MakeRun, tmp_path: Path, methods: str
) -> None:
    nets = nets_file(tmp_path, SPOILT.format("critic[1]"), PERCEPTRONS)
    folder = make_run(methods, protocol="w1", finished=True, architecture=nets, train__steps=3)
    found = result(folder)
    assert (found["status"], found["diverged_at"]) == ("diverged", 3)
    assert "the score at real points, or its gradient, is not finite at step 3" in error(folder)["message"]


@pytest.mark.parametrize(
    ("protocol", "data", "tiny", "expected"),
    [
        (
            "w1",
            "digits",
            TINY_ALONE,
            "digits holds pictures of 1×8×8, and protocol w1 .*expected data whose distance is known",
        ),
        ("digits", "w1", TINY, "w1 holds points of 2 numbers.*expected a data set of pictures.*--protocol w1"),
    ],
)
def test_data_of_the_other_kind_is_refused(protocol: str, data: str, tiny: dict[str, Any], expected: str) -> None:
    (planned,) = plan("gn", data, [0], protocol, tiny)
    with pytest.raises(RequestError, match=expected):
        create(planned.cell, planned.sources.__getitem__, torch.device("cpu"))


PICTURES_ONLY = '''"""For pictures."""
from lipbench import Method
class Mine(Method):
    def penalty_points(self, real, fake, rng):
        return real.reshape(-1, 1, 8, 8)
    def penalty(self, value, grad_norm):
        return grad_norm.mean()
'''


def test_a_method_for_pictures_alone_is_refused_on_points_before_anything_is_started(
    make_run: MakeRun, tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PICTURES_ONLY)
    (planned,) = plan(str(path), None, [0], "w1", TINY_ALONE)
    expected = (
        r"trying penalty_points of mine: RuntimeError: .*mine.py, line 5, in penalty_points\); expected .*\(2, 1, 1\)"
    )
    with pytest.raises(RequestError, match=expected):
        prepare(planned, "cpu", tmp_path, Listener())
    folder = make_run(str(path), protocol="w1")
    assert go(folder) == FAILED
    assert "mine on w1 fails while trying penalty_points of mine" in error(folder)["message"]
    assert not folder.file("trace.jsonl").exists()
    assert make_run(str(path), finished=True).status() is Status.DONE  # on pictures it is welcome


def test_another_pair_under_the_same_path_is_refused_in_the_same_results_folder(tmp_path: Path) -> None:
    path = tmp_path / "pair.pt"
    for centre in (0.5, 1.0):
        torch.save({"net.centers": torch.full((4, 2), centre), "net.bias": torch.arange(4.0)}, path)
        (planned,) = plan("gn", f"w1[path={path}]", [0], "w1", TINY_ALONE)
        if centre == 0.5:
            prepare(planned, "cpu", tmp_path, Listener())
            prepare(planned, "cpu", tmp_path, Listener())
    with pytest.raises(RequestError, match=r"w1.path=.* has pair \w{8}, .*choose another --results"):
        prepare(planned, "cpu", tmp_path, Listener())
    prepare(planned, "cpu", tmp_path / "another", Listener())


def test_what_needs_a_generator_is_refused_in_a_sentence(make_run: MakeRun, tmp_path: Path) -> None:
    alone = "protocol w1 trains a critic alone, .*expected a protocol with pictures"
    folder = make_run("gn", protocol="w1", finished=True)
    with pytest.raises(RequestError, match=alone):
        lipbench.evaluate(folder.id, results=tmp_path / "results")
    with pytest.raises(RequestError, match=alone):
        lipbench.prepare("w1", results=tmp_path)
    with pytest.raises(RequestError, match="w1 holds points of 2 numbers"):
        lipbench.evaluate("w1", against="digits", protocol="digits")
    with pytest.raises(RequestError):
        lipbench.evaluate("digits", against="digits", protocol="w1")
