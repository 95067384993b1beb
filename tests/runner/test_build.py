"""What a cell describes, made and checked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench.errors import PluginError, RequestError
from lipbench.plan import plan
from lipbench.runner.build import build, check
from lipbench.runner.device import choose_device
from tests.conftest import TINY


def made(tmp_path: Path, architecture: str | None = None, **overrides: Any) -> None:
    changed = TINY | {key.replace("__", "."): value for key, value in overrides.items()}
    if architecture is not None:
        path = tmp_path / "nets.py"
        path.write_text("from torch import nn\nfrom lipbench.nets.cnn8 import make as small\n" + architecture)
        changed["architecture"] = f"{path}:make"
    (planned,) = plan("gn", overrides.pop("datasets", None), [0], "digits", changed)
    check(build(planned.cell, planned.sources.__getitem__, torch.device("cpu")))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"train__batch_size": 5000}, "has 1438 training pictures; expected at most as many"),
        ({"evaluate__samples": 20}, "kid_subset_size is 32, but there are 20 pictures"),
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


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("def other(shape, latents): ...\n", "defines no function 'make'"),
        ("def make(shape, latents): return None\n", "gives NoneType; expected two modules"),
        (
            "def make(shape, latents): return nn.Linear(latents, 3), small(shape, latents)[1]\n",
            r"the generator gives \(4, 3\) for 4 latents; expected \(4, 1, 8, 8\)",
        ),
        (
            "def make(shape, latents): return small(shape, latents)[0], nn.Conv2d(1, 1, 1)\n",
            r"the critic gives \(4, 1, 8, 8\) for 4 samples; expected one number a sample",
        ),
        ("def make(shape, latents): return small(shape, latents)[0], nn.Flatten()\n", "without weights"),
        ("import nowhere\n", "does not import: ModuleNotFoundError"),
    ],
)
def test_an_architecture_that_does_not_keep_its_promises_is_refused(
    tmp_path: Path, architecture: str, expected: str
) -> None:
    with pytest.raises((RequestError, PluginError), match=expected):
        made(tmp_path, architecture)


def test_a_critic_knows_the_shape_of_its_pictures_before_it_is_constrained(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        '"""Looks."""\nfrom lipbench import Method\nclass Mine(Method):\n'
        "    def constrain(self, critic):\n        assert critic.input_shape == (1, 8, 8)\n        return critic\n"
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


def test_checking_changes_nothing_that_training_depends_on(tmp_path: Path) -> None:
    (planned,) = plan("sn", None, [0], "digits", TINY)
    built = build(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    before = {name: value.clone() for name, value in built.trainer.critic.state_dict().items()}
    check(built)
    torch.testing.assert_close(built.trainer.critic.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["cdua", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"device '{name}' cannot be used .*expected auto, cpu"):
        choose_device(name)
