"""The work on one cell: results, divergence and failures."""

import re
import shutil
from pathlib import Path

import pytest
import torch

import lipbench
from lipbench.disk.store import RunFolder, Status
from lipbench.errors import RequestError
from lipbench.launch import BUSY, FAILED, FINISHED
from lipbench.measures import is_taken
from lipbench.tools.load import load
from lipbench.work.environment import processor
from lipbench.work.failures import kind_of, message_of
from lipbench.work.run import work
from tests.conftest import MakeRun
from tests.work.cells import HALVES, NETS, PERCEPTRONS, SPOILT, error, nets_file, result

TIMES = ("seconds_train", "seconds_per_step", "seconds_evaluate", "seconds_bound", "peak_memory_bytes")

NAN = '''"""Turns NaN."""
from lipbench import Method
class Mine(Method):
    after: int = 2
    def regulariser(self, critic, real, fake, rng):
        critic.calls = getattr(critic, "calls", 0) + 1
        return critic(real).mean() * (float("nan") if critic.calls > self.after else 0)
'''


def go(folder: RunFolder) -> int:
    return work(folder, "cpu", lambda step: None, ["lipbench", "run"])


def test_a_finished_run_has_everything_that_the_table_needs(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    found = result(folder)
    assert (found["status"], found["step"]) == ("done", 6)
    assert (found["passes"], found["memory_format"]) == (1, "channels-last")
    assert found["extractor"].startswith("digits-cnn@")
    for name in ("fid", "kid", "inception_score", "grad_norm_max", "raw_grad_norm_mean", *TIMES):
        assert isinstance(found[name], int | float), name
    assert [line["step"] for line in folder.trace()[0]] == [3, 6]
    assert found["fid_best"] == min(line["fid"] for line in folder.trace()[0])
    assert all(map(is_taken, found.keys() | folder.trace()[0][0].keys()))
    environment = folder.read_json("environment.json")
    assert environment is not None
    assert environment["argv"] == ["lipbench", "run"]
    assert environment["threads"] == 1
    assert environment["device"] == " ".join(["cpu", *processor()])


def test_the_last_steps_are_measured_even_if_no_evaluation_falls_on_them(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True, train__steps=5)
    assert [line["step"] for line in folder.trace()[0]] == [3, 5]


def test_a_finished_run_is_not_touched_again(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    before = {path.name: path.stat().st_mtime_ns for path in folder.path.iterdir()}
    assert go(folder) == FINISHED
    assert {path.name: path.stat().st_mtime_ns for path in folder.path.iterdir()} == before


def test_a_folder_that_another_process_holds_is_left_alone(make_run: MakeRun) -> None:
    folder = make_run("gn")
    with folder.claimed():
        assert go(folder) == BUSY
    assert not folder.file("environment.json").exists()


@pytest.fixture
def nan_method(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(NAN)
    return str(path)


def test_a_nan_is_a_result_recorded_at_its_step(make_run: MakeRun, nan_method: str) -> None:
    folder = make_run(f"{nan_method}[after=4]", finished=True)
    found, why = result(folder), error(folder)
    assert (found["status"], found["diverged_at"]) == ("diverged", 5)
    assert "fid" not in found
    assert found["best_step"] == 3
    assert (why["kind"], why["message"]) == ("diverged", "critic loss is not finite at step 5")


def test_weights_that_turn_nan_in_the_very_last_step_count_as_divergence(make_run: MakeRun, tmp_path: Path) -> None:
    nets = nets_file(tmp_path, SPOILT.format("generator[0]"))
    folder = make_run("wc", finished=True, architecture=nets, train__steps=3)
    found = result(folder)
    assert (found["status"], found["diverged_at"], found["fid_best"]) == ("diverged", 3, None)


def test_an_exception_is_recorded_with_its_traceback_and_tried_again(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(NAN.replace("critic.calls =", "raise OSError('the disk is gone')\n        critic.calls ="))
    folder = make_run(str(path))
    assert go(folder) == FAILED
    assert go(folder) == FAILED
    why = error(folder)
    assert (why["kind"], why["attempt"]) == ("error", 2)
    assert re.search(r"OSError: the disk is gone \(.*method.py, line 6, in regulariser\)", why["message"])
    assert "in regulariser" in why["traceback"]
    assert folder.status() is Status.FAILED


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (MemoryError(), "out of memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory"),
        (RuntimeError("shapes differ"), "error"),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(raised: Exception, kind: str) -> None:
    assert kind_of(raised) == kind


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore"),
            "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.; expected a GPU with room for a step: "
            "run fewer at a time (--jobs), or with smaller batches (--set train.batch_size=…)",
        ),
        (
            torch.AcceleratorError("CUDA error: device-side assert triggered\nmore"),
            "the GPU failed (AcceleratorError: CUDA error: device-side assert triggered); expected one that works: the "
            "last checkpoint is kept, and the same command goes on from it",
        ),
        (ValueError("shapes differ"), "ValueError: shapes differ"),
        (RequestError("no"), "no"),
    ],
)
def test_a_failure_of_the_gpu_names_the_way_on(raised: Exception, message: str) -> None:
    assert message_of(raised) == message


def test_the_users_own_method_is_run_from_the_copy_in_the_folder(make_run: MakeRun, nan_method: str) -> None:
    folder = make_run(f"{nan_method}[after=100]")
    Path(nan_method).unlink()
    assert go(folder) == FINISHED
    assert folder.status() is Status.DONE


def test_files_of_the_users_own_with_modules_run_and_are_loaded_from_the_folder_alone(
    make_run: MakeRun, tmp_path: Path
) -> None:
    user = tmp_path / "user"
    texts = {
        "nets.py": "def make(shape, latents):\n    from helpers import networks\n    return networks(shape, latents)\n",
        "mine.py": '"""Mine."""\nfrom helpers import Base\nclass Mine(Base):\n    weight: float = 2.0\n',
        "mydata.py": '"""Mine."""\nfrom lipbench import Dataset\nfrom helpers import pictures\nclass My(Dataset):\n'
        "    def load(self): return pictures()\n",
        "helpers/__init__.py": "from .deeper import *\nfrom lipbench.nets.cnn_8 import Cnn8\nnetworks = Cnn8().make\n",
        "helpers/deeper.py": "import lipbench\n"
        "class Base(lipbench.Method):\n    def score(self, value, grad_norm): return value / (1 + grad_norm)\n"
        "def pictures():\n"
        "    from lipbench.data.digits import Digits\n    return Digits().load()\n",
    }
    for name, text in texts.items():
        (user / name).parent.mkdir(parents=True, exist_ok=True)
        (user / name).write_text(text)
    folder = make_run(f"{user}/mine.py", datasets=f"{user}/mydata.py", architecture=f"{user}/nets.py:make")
    shutil.rmtree(user)
    assert go(folder) == FINISHED, folder.read_json("error.json")
    assert folder.status() is Status.DONE
    critic = lipbench.load(folder.id, results=tmp_path / "results").critic
    assert critic(torch.zeros(2, 1, 8, 8)).shape == (2, 1)
    copy = folder.file("architecture/helpers/deeper.py")
    copy.write_text(f"{copy.read_text()}# changed\n")
    with pytest.raises(RequestError, match="deeper.py' was changed after the run was planned"):
        lipbench.load(folder.id, results=tmp_path / "results")
    copy.unlink()
    with pytest.raises(RequestError, match="deeper.py' is missing"):
        lipbench.load(folder.id, results=tmp_path / "results")
    assert list(lipbench.report(tmp_path / "results").runs["architecture"]) == ["nets:make"]


def test_a_critic_with_batch_normalisation_is_refused_under_gradient_norms_alone(
    make_run: MakeRun, tmp_path: Path
) -> None:
    nets = nets_file(
        tmp_path,
        "def make(shape, latents):\n"
        "    generator, critic = small(shape, latents)\n"
        "    return generator, nn.Sequential(nn.BatchNorm2d(1), *critic)\n",
    )
    refused = make_run("gp", architecture=nets)
    assert go(refused) == FAILED
    assert "by a BatchNorm2d, layer '0'" in error(refused)["message"]
    found = result(make_run("wc", finished=True, architecture=nets))
    assert (found["status"], found["passes"], found["memory_format"]) == ("done", 2, "channels-last")


NOISY = """
import torch
class Noise(nn.Module):
    def forward(self, x): return x + torch.randn_like(x)
def make(shape, latents):
    generator, critic = small(shape, latents)
    return generator, nn.Sequential(Noise(), critic)
"""


@pytest.mark.parametrize(("protocol", "head"), [("digits", NETS), ("w1", PERCEPTRONS)])
@pytest.mark.parametrize("methods", ["gn", "wc"])
def test_a_critic_that_is_no_function_is_not_examined_and_its_run_is_done(
    make_run: MakeRun, tmp_path: Path, protocol: str, head: str, methods: str
) -> None:
    folder = make_run(methods, protocol=protocol, finished=True, architecture=nets_file(tmp_path, NOISY, head))
    found = result(folder)
    assert found["status"] == "done"
    assert "it is no function" in found["not_examined"]
    assert not [name for name in found if "grad_norm" in name or "secant" in name]
    assert ("fid" in found) == (protocol == "digits")


def test_a_run_whose_critic_draws_from_numpy_is_repeated_by_its_seed(make_run: MakeRun, tmp_path: Path) -> None:
    nets = nets_file(
        tmp_path,
        "import numpy as np\n"
        "class Jitter(nn.Module):\n"
        "    def forward(self, x): return x + (np.random.uniform(-0.2, 0.2) if self.training else 0)\n"
        "def make(shape, latents):\n    generator, critic = small(shape, latents)\n"
        "    return generator, nn.Sequential(Jitter(), critic)\n",
    )
    folders = [make_run("wc", results=name, finished=True, architecture=nets) for name in ("one", "two")]
    first, second = (
        {key: value for key, value in result(folder).items() if key not in (*TIMES, "trace")} for folder in folders
    )
    assert first == second
    assert first["status"] == "done"


def test_networks_with_old_hooks_are_trained_measured_and_loaded(make_run: MakeRun, tmp_path: Path) -> None:
    nets = nets_file(
        tmp_path,
        "from torch.nn.utils import spectral_norm\n"
        "def make(shape, latents):\n    generator, critic = small(shape, latents)\n"
        "    for net in (generator, critic):\n        for layer in net:\n"
        "            if hasattr(layer, 'weight') and layer.weight.dim() > 1: spectral_norm(layer)\n"
        "    return generator, critic\n",
    )
    folder = make_run("gn", finished=True, architecture=nets)
    assert folder.status() is Status.DONE
    weight = load(folder, "cpu").generator[0].weight.detach()  # type: ignore[index]  # a Sequential
    assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=1e-3)


MEASURE = """import torch
from lipbench import Measure
class Drawn(Measure):
    def of_critic(self, critic, score, real, fake):
        noise = torch.randn(8, *real.shape[1:], requires_grad=True)
        score(noise).sum().backward()
        return noise.grad.norm()
"""


@pytest.mark.parametrize("protocol", ["digits", "w1"])
def test_no_other_number_changes_where_a_measure_is_taken_besides(
    make_run: MakeRun, tmp_path: Path, protocol: str
) -> None:
    (tmp_path / "drawn.py").write_text(MEASURE)
    asked = f"{tmp_path / 'drawn.py'}" + ",prdc[k=3]" * (protocol == "digits")
    plain, more = (
        result(make_run("gn", protocol=protocol, finished=True, **given))
        for given in ({}, {"evaluate__measures": asked})
    )
    besides = {"drawn", "precision", "recall", "density", "coverage"} if protocol == "digits" else {"drawn"}
    assert more.keys() - plain.keys() == besides
    assert {key: more[key] for key in plain if key not in (*TIMES, "trace")} == {
        key: value for key, value in plain.items() if key not in (*TIMES, "trace")
    }


def test_a_run_says_what_its_measures_declare(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "drawn.py").write_text(MEASURE)
    folder = make_run("wc", finished=True, evaluate__measures=str(tmp_path / "drawn.py"))
    place = folder.read_json("environment.json")
    assert place is not None
    assert place["measures"]["drawn"]["title"] == "drawn"
    assert (folder.path / "measure.py").read_text() == MEASURE


@pytest.fixture
def halves(tmp_path: Path) -> str:
    path = tmp_path / "halves.py"
    path.write_text(HALVES)
    return str(path)


def test_kid_and_inception_score_are_measured_at_the_end_alone(make_run: MakeRun) -> None:
    first, last = make_run("gn", finished=True).trace()[0]
    late = {"kid", "kid_std", "inception_score", "inception_score_std"}
    assert late <= last.keys() and not late & first.keys()
    assert "fid" in first


def test_a_curve_extractor_is_asked_at_every_evaluation_and_the_extractor_at_the_last(
    make_run: MakeRun, halves: str
) -> None:
    curve = make_run("gn", finished=True, evaluate__curve_extractor=halves, evaluate__measures="prdc")
    slow, quick = (make_run("gn", finished=True, **own) for own in ({}, {"evaluate__extractor": halves}))
    first, last = curve.trace()[0]
    assert [first["fid_curve"], last["fid_curve"]] == [line["fid"] for line in quick.trace()[0]]
    assert "fid" not in first and first["recall"] is None
    found, alone = result(curve), result(slow)
    for name in ("fid", "kid", "inception_score", "extractor", "features"):
        assert found[name] == alone[name], name
    assert found["recall"] is not None
    assert found["curve_extractor"] == result(quick)["extractor"]
    assert (found["fid_best"], found["best_step"]) == (None, None)
    assert all(map(is_taken, ("fid_curve", "curve_extractor")))


def test_a_run_with_a_curve_extractor_that_diverges_keeps_its_curve(
    make_run: MakeRun, nan_method: str, halves: str
) -> None:
    folder = make_run(f"{nan_method}[after=4]", finished=True, evaluate__curve_extractor=halves)
    assert [line["step"] for line in folder.trace()[0] if "fid_curve" in line] == [3]
    assert (result(folder)["status"], result(folder)["best_step"]) == ("diverged", None)


def test_the_best_fid_of_a_single_evaluation_is_no_news(make_run: MakeRun) -> None:
    found = result(make_run("wc", finished=True, train__steps=3))
    assert found["fid"] > 0
    assert found["fid_best"] is None
