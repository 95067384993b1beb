"""What a cell describes, made and checked."""

from pathlib import Path

import pytest
import torch

from lipbench.errors import RequestError
from lipbench.request.plan import plan
from lipbench.work.adversarial import Adversarial
from lipbench.work.device import choose_device
from tests.conftest import TINY
from tests.work.cells import HALVES


def built(methods: str, dataset: str | None = None, **more: int | str) -> Adversarial:
    changed = {key.replace("__", "."): value for key, value in more.items()}
    (planned,) = plan(methods, dataset, [0], "digits", TINY | changed)
    return Adversarial(planned.cell, planned.sources.__getitem__, torch.device("cpu"))


def test_a_batch_that_is_larger_than_the_data_is_refused() -> None:
    with pytest.raises(RequestError, match="has 1438 training pictures; expected at most as many"):
        built("gn", train__batch_size=5000)


def test_a_curve_extractor_that_cannot_take_the_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text(HALVES.replace("(1, 8, 8)", "(1, 16, 16)"))
    with pytest.raises(RequestError, match=r"extractor wide takes pictures of shape \(1, 16, 16\), but digits has"):
        built("gn", evaluate__curve_extractor=str(path))


def test_a_critic_knows_the_shape_of_its_pictures_before_it_is_constrained(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        '"""Looks."""\nfrom lipbench import Method\nclass Mine(Method):\n'
        "    def constrain(self, critic):\n        assert critic.input_shape == (1, 8, 8)\n"
        "        next(critic.parameters()).data.mul_(0.5)\n        return critic\n"
    )
    built(str(path))


def test_a_data_set_of_ones_own_is_used_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mydata.py"
    path.write_text(
        '"""Noise."""\nimport torch\nfrom lipbench import Dataset, Pictures\nclass Mine(Dataset):\n'
        "    count: int = 80\n    def load(self):\n"
        "        x = torch.zeros(self.count, 1, 8, 8, dtype=torch.uint8)\n"
        "        return Pictures(train=x, held_out=x[:9])\n"
    )
    job = built("wc", f"{path}[count=90]")
    assert len(job.pictures.train) == 90
    assert job.cell.run_id.startswith("wc-mydata-count-90-s0-")


@pytest.mark.parametrize("name", ["cdua", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"device '{name}' cannot be used .*expected auto, cpu"):
        choose_device(name)


def test_counts_that_the_data_cannot_give_are_as_large_as_they_can_be() -> None:
    job = built("wc", evaluate__samples=20, evaluate__real_samples=5000, evaluate__isc_splits=50)
    assert len(job.reference.pictures) == 1438
    assert job.reduced == {"real_samples": 1438, "kid_subset_size": 10, "isc_splits": 20}
