"""Published centres of the W1 benchmark: read from files, which may hold anything."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
import torch
from torch import nn

from lipbench.errors import RequestError
from tests.data.test_w1 import CENTRES, made


def test_a_file_and_the_folder_that_holds_it_give_the_same_pair() -> None:
    file = made(path=str(CENTRES / "dim4_funnels16.pt"))
    folder = made(path=str(CENTRES), dim=4, funnels=16)
    assert (file.digest, file.w1, file.dim) == (folder.digest, folder.w1, 4)


STATE = {"net.centers": torch.zeros(4, 2), "net.bias": torch.zeros(4)}


@pytest.mark.parametrize(
    ("state", "value"),
    [
        (nn.Linear(2, 2), "is not a file of tensors alone"),
        ({**STATE, "more": nn.Linear(2, 2)}, "is not a file of tensors alone"),
        ({"net.bias": torch.zeros(4)}, "lacks net.centers and net.bias"),
        ({**STATE, "net.bias": [0.0] * 4}, "lacks net.centers and net.bias"),
        (torch.zeros(4, 2), "lacks net.centers and net.bias"),
        ({**STATE, "net.centers": torch.zeros(4, 2, 1)}, r"holds net.centers \(4, 2, 1\) and net.bias \(4,\)"),
        ({**STATE, "net.bias": torch.zeros(5)}, r"holds net.centers \(4, 2\) and net.bias \(5,\)"),
        ({"net.centers": torch.zeros(0, 2), "net.bias": torch.zeros(0)}, r"holds net.centers \(0, 2\)"),
        ({**STATE, "net.centers": torch.full((4, 2), 2.6)}, "holds centres up to 2.6"),
        ({**STATE, "net.centers": torch.full((4, 2), torch.nan)}, "holds centres up to nan"),
        ({**STATE, "net.bias": torch.full((4,), torch.inf)}, "finite offsets"),
    ],
)
def test_a_file_that_does_not_hold_funnels_is_refused_with_what_it_holds(
    tmp_path: Path, state: object, value: str
) -> None:
    torch.save(state, tmp_path / "pair.pt")
    with pytest.raises(RequestError, match=f"pair.pt' .*{value}.*expected|pair.pt' .*expected.*{value}"):
        made(path=str(tmp_path / "pair.pt"))


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 half"])
def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pair.pt").write_bytes(content)
    with pytest.raises(RequestError, match="is not a file of tensors alone .*expected a state dict"):
        made(path=str(tmp_path / "pair.pt"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_breaks_off_anywhere_is_refused(tmp_path: Path, zipped: bool) -> None:
    file, path = BytesIO(), tmp_path / "pair.pt"
    torch.save(STATE, file, _use_new_zipfile_serialization=zipped)
    for length in range(0, len(file.getvalue()) - 1, 7):
        path.write_bytes(file.getvalue()[:length])
        with pytest.raises(RequestError, match="is not a file of tensors alone"):
            made(path=str(path))


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize(
    "centres",
    [torch.zeros(4, 2, dtype=torch.bool), torch.zeros(4, 2, dtype=torch.complex64), torch.zeros(4, 2).to_sparse()],
)
def test_tensors_of_another_kind_are_refused(tmp_path: Path, centres: torch.Tensor) -> None:
    torch.save({**STATE, "net.centers": centres}, tmp_path / "pair.pt")
    with pytest.raises(RequestError, match="expected"):
        made(path=str(tmp_path / "pair.pt"))


def test_a_missing_file_is_refused_with_its_whole_path(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=f"there is no file .*{tmp_path}.*expected a state dict with net.centers"):
        made(path=str(tmp_path / "pair.pt"))
    with pytest.raises(RequestError, match="there is no file .*dim3_funnels4.pt"):
        made(path=str(tmp_path), dim=3)


def test_a_file_of_other_numbers_than_asked_is_refused(tmp_path: Path) -> None:
    file = CENTRES / "dim4_funnels16.pt"
    with pytest.raises(RequestError, match="holds 16 centres of 4 numbers, and 4 funnels in 8 dim.*expected the same"):
        made(path=str(file), dim=8)
    shutil.copy(file, tmp_path / "dim8_funnels16.pt")
    with pytest.raises(RequestError, match="16 centres of 4 numbers"):
        made(path=str(tmp_path), dim=8, funnels=16)
