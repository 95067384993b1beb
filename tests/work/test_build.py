"""What a cell describes, made and checked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench.errors import RequestError
from lipbench.request.plan import plan
from lipbench.work.build import build
from lipbench.work.device import choose_device
from tests.conftest import TINY


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"train__batch_size": 5000}, "has 1438 training pictures; expected at most as many"),
        ({"evaluate__extractor": "inception"}, "unknown extractor 'inception'"),
        ({"architecture": "cnn-9"}, "unknown architecture 'cnn-9'.*Did you mean 'cnn-8'"),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused(
    tmp_path: Path, overrides: dict[str, Any], expected: str
) -> None:
    with pytest.raises(RequestError, match=expected):
        (planned,) = plan("gn", None, [0], "digits", TINY | {k.replace("__", "."): v for k, v in overrides.items()})
        build(planned.cell, planned.sources.__getitem__, torch.device("cpu"))


def test_a_critic_knows_the_shape_of_its_pictures_before_it_is_constrained(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        '"""Looks."""\nfrom lipbench import Method\nclass Mine(Method):\n'
        "    def constrain(self, critic):\n        assert critic.input_shape == (1, 8, 8)\n"
        "        next(critic.parameters()).data.mul_(0.5)\n        return critic\n"
    )
    (planned,) = plan(str(path), None, [0], "digits", TINY)
    build(planned.cell, planned.sources.__getitem__, torch.device("cpu"))


def test_a_data_set_of_ones_own_is_used_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mydata.py"
    path.write_text(
        '"""Noise."""\nimport torch\nfrom lipbench import Dataset, Pictures\nclass Mine(Dataset):\n'
        "    count: int = 80\n    def load(self):\n"
        "        x = torch.zeros(self.count, 1, 8, 8, dtype=torch.uint8)\n"
        "        return Pictures(train=x, held_out=x[:9])\n"
    )
    (planned,) = plan("wc", f"{path}[count=90]", [0], "digits", TINY)
    built = build(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    assert len(built.pictures.train) == 90
    assert planned.cell.run_id.startswith("wc-mydata-count-90-s0-")


@pytest.mark.parametrize("name", ["cdua", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"device '{name}' cannot be used .*expected auto, cpu"):
        choose_device(name)


def test_counts_that_the_data_cannot_give_are_as_large_as_they_can_be() -> None:
    asked = TINY | {"evaluate.samples": 20, "evaluate.real_samples": 5000, "evaluate.isc_splits": 50}
    (planned,) = plan("wc", None, [0], "digits", asked)
    built = build(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    assert len(built.reference.pictures) == 1438
    expected = {"real_samples": 1438, "kid_subset_size": 10, "isc_splits": 20}
    assert built.reduced(planned.cell.adversarial.evaluate) == expected
