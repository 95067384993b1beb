"""Every protocol of the literature from its data to its result, with the real network, in a few steps."""

from pathlib import Path

import pytest
from PIL import Image

from lipbench.data.cifar10 import Cifar10
from lipbench.disk.store import RunFolder
from lipbench.request.plan import plan
from lipbench.work.run import work
from tests.assets import CIFAR10, FASHION_MNIST, INCEPTION, needs
from tests.work.cells import result

FEW = {
    "train.steps": 2,
    "train.batch_size": 4,
    "train.generator_batch_size": 4,
    "evaluate.every": 2,
    "evaluate.samples": 4,
    "evaluate.real_samples": 4,
    "evaluate.kid_subset_size": 2,
    "evaluate.kid_subsets": 2,
    "evaluate.isc_splits": 1,
    "evaluate.critic_points": 4,
}


def mixed(folder: Path) -> str:
    """Real pictures of several shapes, as PNG and JPEG, grey and in colour."""
    folder.mkdir()
    for number, picture in enumerate(Cifar10().load().held_out[:40]):
        image = Image.fromarray(picture.permute(1, 2, 0).numpy()).resize((48 + number % 5, 50))
        kind = "png" if number % 2 else "jpg"
        (image.convert("L") if number % 3 == 0 else image).save(folder / f"{number}.{kind}")
    return f"folder[path={folder},size=48]"


@needs(CIFAR10)
@needs(FASHION_MNIST)
@needs(INCEPTION)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "method"),
    [
        ("cifar10-cnn", "gp"),
        ("cifar10-resnet", "sn"),
        ("fashion-cnn", "gn"),
        ("stl10-cnn", "wc"),
        ("stl10-resnet", "gn"),
    ],
)
def test_a_protocol_of_the_literature_runs_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, method: str
) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    monkeypatch.setenv("LIPBENCH_INCEPTION", str(INCEPTION))
    data = mixed(tmp_path / "mixed") if protocol.startswith("stl10") else None
    (planned,) = plan(method, data, [0], protocol, FEW, "recommended")
    # Recommended steps and batch sizes give way to those of the test; loss, rates and decay are the authors'.
    folder = RunFolder(tmp_path / "results" / "runs" / planned.cell.run_id)
    folder.create(planned.cell.to_json(), planned.contents())
    work(folder, "cpu", lambda step: None, [])
    found = result(folder)
    assert (found["status"], found["features"], found["inception_score"]) == ("done", 2048, None)
    assert found["fid"] > 0
    assert found["extractor"].startswith("inception-v3-compat@")
