"""What can be audited by its name, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import nn

import lipbench
from lipbench.cli import main
from lipbench.errors import LipbenchError
from tests.conftest import MakeRun

CRITIC = "from torch import nn\ndef make(): return nn.Sequential(nn.Flatten(), nn.Linear(64, 1))\n"


@pytest.fixture
def critic(tmp_path: Path) -> str:
    (tmp_path / "critic.py").write_text(CRITIC)
    return f"{tmp_path / 'critic.py'}:make"


def audited(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["audit", *words])
    return done.exit_code, done.output


def test_a_function_in_a_file_with_weights_from_a_file_is_audited_at_real_points(critic: str, tmp_path: Path) -> None:
    trained = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    torch.save({"netD": trained.state_dict()}, tmp_path / "weights.pt")
    found = lipbench.audit(critic, 30, weights=tmp_path / "weights.pt", data="digits")
    assert found["critic"]["lower"] == pytest.approx(float(trained[1].weight.detach().norm()), rel=1e-6)
    assert (found["shape"], found["count"], found["notes"]) == ([1, 8, 8], 30, [])
    assert found["weights"].endswith("weights.pt (netD)")
    assert found["points"] == "held-out pictures of digits and noise in their range"


def test_without_data_points_are_noise_and_this_is_said() -> None:
    found = lipbench.audit("mlp", 10, shape=2)
    assert (found["shape"], found["points"]) == ([2, 1, 1], "uniform noise in [−1, 1]")
    assert set(found["critic"]["gradient_norms"]) == {"noise", "other noise", "mixed"}
    assert lipbench.audit("cnn-8[width=2]", 4)["shape"] == [1, 8, 8]


def test_both_distributions_of_a_pair_are_points() -> None:
    found = lipbench.audit("mlp", 10, data="gauss-shift")
    assert set(found["critic"]["gradient_norms"]) == {"real", "fake", "mixed"}


def test_a_run_has_its_own_critic_score_and_data(make_run: MakeRun) -> None:
    run = make_run("gn", finished=True)
    result = run.result() or {}
    found = lipbench.audit(run.path, 16)
    assert (found["method"], found["score"]["upper"]) == ("gn", None)
    assert set(found["score"]["gradient_norms"]) == {"real", "generated", "mixed", "noise"}
    # The very points of the run's own last evaluation.
    for place, name in (("real", "real"), ("generated", "fake")):
        found_there = found["critic"]["gradient_norms"][place]["mean"]
        assert found_there == pytest.approx(result[f"raw_grad_norm_{name}_mean"], rel=1e-3)


def test_a_run_of_a_critic_alone_is_audited_at_its_pair(make_run: MakeRun) -> None:
    run = make_run("wc", protocol="w1", datasets="gauss-shift", finished=True)
    found = lipbench.audit(run.path, 16)
    assert found["score"] is None
    assert set(found["critic"]["gradient_norms"]) == {"real", "fake", "mixed", "noise"}


def test_what_is_asked_for_wrongly_is_refused(critic: str, make_run: MakeRun, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "b.png")
    folder, run = f"folder[path={tmp_path},size=16]", str(make_run("gn").path)
    for subject, options, expected in (
        (critic, {"data": folder}, r"of shape \(3, 16, 16\): RuntimeError.*; expected a critic that takes points"),
        (critic, {"data": "digits", "shape": "3,8,8"}, "shape 3×8×8 is asked for, and points of digits are 1×8×8"),
        (critic, {"score": "sn"}, "method sn has no score of its own.*expected one that has, gn, gn_tau, gran"),
        (critic, {"score": "gm"}, "unknown method 'gm'.*Did you mean 'gn'"),
        (critic, {"score": "sn+gn"}, "names 'sn.gn'; expected one method"),
        (critic, {"data": "digit"}, "unknown data set 'digit'.*Did you mean 'digits'"),
        (critic, {"shape": "3,3"}, "shape is '3,3'; expected channels, height and width"),
        (critic, {"weights": "nowhere.pt"}, "weights 'nowhere.pt': the file is not there"),
        (critic, {"points": torch.ones(2, 2)}, "points are given for '.*make'; expected how many"),
        (critic, {"points": 1}, "points is 1; expected a tensor of points.*, or how many"),
        ("gn-nowhere", {}, "no run.*What else can be audited: a function in a file.*cnn-32"),
        (run, {}, "has no checkpoint yet; run it first"),
        (run, {"data": "digits"}, "is a run and has its own data; leave --data out"),
        (nn.Linear(2, 1), {}, "there are no points for the critic; expected some of shape"),
        (nn.Linear(2, 1), {"weights": "a.pt", "shape": 2}, "for a critic in memory, which has its own"),
        (nn.Linear(2, 1), {"points": torch.ones(3)}, r"points have the shape \(3,\); expected \(n, c, h, w\)"),
        (nn.Linear, {}, "subject is <class .*; expected a torch.nn.Module"),
    ):
        given: dict[str, Any] = {"results": tmp_path / "results", **options}
        with pytest.raises(LipbenchError, match=expected):
            lipbench.audit(subject, given.pop("points", 4), **given)


def test_the_command_fits_in_80_columns_and_exits_with_2_where_it_is_refused(critic: str) -> None:
    code, text = audited(critic, "--data", "digits", "--score", "gn", "--points", "8")
    assert code == 0, text
    assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith(("Note", str(critic))))
    assert "power iteration" in text
    code, text = audited(critic, "--score", "gm")
    assert (code, text.startswith("Error: unknown method")) == (2, True)


def test_the_command_prints_json_alone_and_writes_a_page(critic: str, tmp_path: Path) -> None:
    code, text = audited(critic, "--data", "digits", "--points", "8", "--json", "--page", str(tmp_path / "page"))
    assert code == 0, text
    assert json.loads(text) == json.loads((tmp_path / "page" / "audit.json").read_text())
    code, text = audited(critic, "--data", "digits", "--points", "8", "--page", str(tmp_path / "page"))
    assert (code, text.splitlines()[-1]) == (0, str(tmp_path / "page" / "index.html"))
    (tmp_path / "page" / "audit.json").unlink()
    code, text = audited(critic, "--page", str(tmp_path / "page"))
    assert (code, "is no page of an audit" in text) == (2, True)
