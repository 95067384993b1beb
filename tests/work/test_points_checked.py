"""What is seen of cells that train a generator of points before anything is started."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

import lipbench
from lipbench.errors import RequestError
from lipbench.launch.listener import Listener
from lipbench.request.plan import plan
from lipbench.work.prepare import prepare
from lipbench.work.stages import Stages
from tests.conftest import TINY_OF, MakeRun
from tests.work.cells import PERCEPTRONS, Heard, nets_file, result
from tests.work.test_points import COLLAPSED, MEASURE, made

DATA = """'Mine.'
import torch
from lipbench import Dataset, Distribution
from lipbench.interfaces.dataset import digest
"""


def prepared(tmp_path: Path, *, datasets: str = "ring", **overrides: Any) -> list[str]:
    """Check a tiny cell; what was noted."""
    changed: dict[str, Any] = {key.replace("__", "."): value for key, value in overrides.items()}
    (planned,) = plan("gn", datasets, [0], "modes", TINY_OF["modes"] | changed)
    heard = Heard()
    prepare(planned, "cpu", tmp_path, heard, measure=False)
    return heard.notes


def data_file(tmp_path: Path, sample: str, load: str = "Mine()") -> str:
    """The path of a user's own data set; `sample` is the body of a distribution's method, on a line."""
    path = tmp_path / "mydata.py"
    body = f"""
    class Mine(Distribution):
        dim, digest = 2, "00000000"
        def __init__(self):
            self.points = torch.randn(64, 2, 1, 1, generator=torch.Generator().manual_seed(0))
        def sample(self, count, rng):
            {sample}
    class MyData(Dataset):
        def load(self):
            return {load}
    """
    path.write_text(DATA + textwrap.dedent(body))
    return str(path)


def test_a_generator_of_one_point_is_told_of(tmp_path: Path) -> None:
    path = nets_file(tmp_path, COLLAPSED, PERCEPTRONS)
    assert "The generator gives the same point for all latents." in prepared(tmp_path, architecture=path)
    assert not any("same point" in note for note in prepared(tmp_path / "other"))


def test_modes_that_overlap_are_told_of(tmp_path: Path) -> None:
    (note,) = [each for each in prepared(tmp_path, datasets="ring[std=0.5]") if "overlap" in each]
    assert note.startswith("ring[std=0.5]: The modes overlap: neighbours are 1.53")


@pytest.mark.parametrize(
    ("protocol", "datasets", "overrides", "expected"),
    [
        ("modes", "digits", {}, "digits holds pictures of 1×8×8, and protocol modes .*such as ring, grid, swiss-roll"),
        ("modes", "w1", {}, "w1 holds points of 2 numbers, drawn from two distributions, and protocol modes .*ring"),
        ("digits", "ring", {}, "ring holds points of 2 numbers, drawn from one distribution.*--protocol modes"),
        ("w1", "ring", {}, "ring holds points of 2 numbers, drawn from one distribution, and protocol w1 .*gauss-sh"),
        (
            "modes",
            "ring",
            {"architecture": "cnn-8"},
            "cnn-8 got points of 2 numbers; expected pictures .*architecture=mlp",
        ),
        ("modes", "ring", {"architecture": "dirac"}, "dirac got points of shape 2×1×1; expected .*architecture=mlp"),
        ("dirac", "ring", {}, "dirac got points of shape 2×1×1; expected .*architecture=mlp"),
    ],
)
def test_parts_of_another_kind_are_refused_with_a_cure(
    protocol: str, datasets: str, overrides: dict[str, Any], expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        made(protocol=protocol, datasets=datasets, **overrides)


def test_what_needs_pictures_is_refused_in_a_sentence(make_run: MakeRun, tmp_path: Path) -> None:
    expected = "protocol modes trains a generator of points; expected a protocol with pictures for this, such as digits"
    folder = make_run("gn", protocol="modes", finished=True, train__steps=3)
    with pytest.raises(RequestError, match=expected):
        lipbench.evaluate(folder.id, results=tmp_path / "results")
    with pytest.raises(RequestError, match=expected):
        lipbench.prepare("modes", datasets="ring", results=tmp_path)


@pytest.mark.parametrize(
    ("hook", "protocol", "expected"),
    [
        ("of_pictures", "modes", "measure spread looks at pictures, of which this protocol has none.*such as digits"),
        ("of_features", "modes", "measure spread looks at features, of which this protocol has none.*such as digits"),
        ("of_points", "digits", "measure spread looks at points, of which this protocol has none.*such as modes"),
        ("of_points", "w1", "measure spread looks at points, of which this protocol has none.*such as modes"),
    ],
)
def test_a_measure_of_what_there_is_not_is_refused_before_anything_is_started(
    tmp_path: Path, hook: str, protocol: str, expected: str
) -> None:
    path = tmp_path / "spread.py"
    path.write_text(MEASURE.format(hook, "return 1.0"))
    changed = TINY_OF.get(protocol, {}) | {"evaluate.measures": str(path)}
    (planned,) = plan("gn", {"modes": "ring"}.get(protocol), [0], protocol, changed)
    with pytest.raises(RequestError, match=expected):
        prepare(planned, "cpu", tmp_path, Listener())


def test_points_of_ones_own_are_trained_on_and_left_as_they_are(make_run: MakeRun, tmp_path: Path) -> None:
    path = data_file(
        tmp_path, "return self.points[(torch.randint(64, (1,), generator=rng) + torch.arange(count)) % 64]"
    )
    folder = make_run("gn", protocol="modes", datasets=path, finished=True, train__steps=3)
    found = result(folder)
    assert (found["status"], found["points"]) == ("done", "00000000")
    assert not found.keys() & {"modes", "modes_covered", "modes_kl", "high_quality"}


def test_a_check_changes_no_tensor_that_a_distribution_keeps(tmp_path: Path) -> None:
    path = data_file(tmp_path, "return self.points[int(torch.randint(2, (1,), generator=rng)) :][:count]")
    job = made(datasets=path)
    before = job.distribution.points.clone()  # type: ignore[attr-defined]  # of the user's own
    job.check(Stages("mine", {}, Listener()))
    assert torch.equal(job.distribution.points, before)  # type: ignore[attr-defined]  # of the user's own


def test_a_distribution_that_is_another_at_each_load_is_refused(tmp_path: Path) -> None:
    sample = "return torch.rand(count, 2, 1, 1, generator=rng, device=rng.device)"
    path = data_file(tmp_path, sample, load="type('Next', (Mine,), {'digest': digest(torch.rand(3))})()")
    with pytest.raises(RequestError, match="gives another distribution at each call, so no two runs"):
        prepared(tmp_path, datasets=path)


def test_a_distribution_that_breaks_its_promises_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="data set mydata: points of Mine.sample: a tensor of float64"):
        made(datasets=data_file(tmp_path, "return torch.rand(count, 2, 1, 1, generator=rng).double()"))
