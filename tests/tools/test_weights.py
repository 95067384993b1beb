"""Weights from a file: found wherever they lie, and refused where they are not those of the critic."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lipbench.errors import RequestError
from lipbench.tools.weights import load_weights


def critic() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1))


def state(prefix: str = "", net: nn.Module | None = None) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": value for name, value in (net or TRAINED).state_dict().items()}


TRAINED = critic()
OTHER = nn.Sequential(nn.Linear(3, 1))
OLD = {name: value for name, value in state().items() if "num_batches" not in name}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (state(), ""),
        (state("module."), ""),
        ({"state_dict": state("module.discriminator."), "epoch": 3}, "state_dict"),
        ({"netG": state(net=OTHER), "netD": state()}, "netD"),
        ({"models": {"critic": state()}, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}, "models.critic"),
        ({**state("generator.", OTHER), **state("critic.")}, ""),
        (OLD, ""),
    ],
)
def test_weights_are_found_wherever_they_lie(content: Any, place: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pt")
    mine = critic()
    assert load_weights(mine, tmp_path / "weights.pt") == place
    assert all(torch.equal(value, TRAINED.state_dict()[name]) for name, value in mine.state_dict().items())


def lacking() -> dict[str, torch.Tensor]:
    return {name: value for name, value in state().items() if name != "3.bias"} | {"extra": torch.ones(1)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            state() | {"0.weight": torch.ones(5, 1, 3, 3)},
            r"0.weight \(5×1×3×3 in place of 2×1×3×3\); expected the state_",
        ),
        (lacking(), "they lack 3.bias; the critic has no extra; expected the state_dict of this very one"),
        ({"netD": state(net=OTHER)}, "under netD, are not of this critic: they lack .* and 3 more"),
        (state() | {"3.weight": torch.full((1, 8), torch.nan)}, "8 of 8 numbers of '3.weight' are NaN or infinite"),
        ([1, 2], "hold a list without tensors by name; expected a state_dict"),
        (TRAINED, r"hold more than tensors \(torch.nn.*Sequential\), which could run code, and are not opened"),
    ],
)
def test_other_weights_are_refused_with_what_is_wrong_with_them(content: Any, expected: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(RequestError, match=expected):
        load_weights(critic(), tmp_path / "weights.pt")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: None, "the file is not there; expected the path"),
        (lambda path: path.mkdir(), "the file is a folder; expected the path"),
        (lambda path: path.write_text("hello"), r"cannot be read \(.*; expected a file of torch.save"),
    ],
)
def test_a_file_that_is_none_is_refused(make: Callable[[Path], Any], expected: str, tmp_path: Path) -> None:
    make(tmp_path / "weights.pt")
    with pytest.raises(RequestError, match=expected):
        load_weights(critic(), tmp_path / "weights.pt")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "harmed",)

    torch.save({"netD": Harm()}, tmp_path / "weights.pt")
    with pytest.raises(RequestError, match="could run code"):
        load_weights(critic(), tmp_path / "weights.pt")
    assert not (tmp_path / "harmed").exists()
