"""Files of published data sets: found, checked, fetched whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipbench.data import _files
from lipbench.errors import RequestError

HELLO = "5d41402abc4b2a76b9719d911017c592"  # md5 of "hello"


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))


def test_the_first_folder_below_the_data_root_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "second"
    assert _files.find("first", "second") is None
    folder.mkdir(parents=True)
    assert _files.find("first", "second") == folder


def test_a_file_with_the_right_digest_passes(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("hello")
    _files.check_md5(tmp_path, {"a.bin": HELLO})


def test_a_changed_file_is_named_with_both_digests_and_the_cure(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("hell")
    with pytest.raises(RequestError, match=rf"a.bin' \(4 bytes\) has md5 4229d691.*expected {HELLO}.*Fetch it again"):
        _files.check_md5(tmp_path, {"a.bin": HELLO})


def test_a_missing_file_is_named_with_all_that_are_expected(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="a.bin' cannot be read .*expected all of a.bin, b.bin"):
        _files.check_md5(tmp_path, {"a.bin": HELLO, "b.bin": HELLO})


def test_a_download_appears_when_it_is_whole_and_is_made_once(tmp_path: Path) -> None:
    calls = []

    def download(work: Path) -> None:
        calls.append(work)
        (work / "set").mkdir()
        assert not (tmp_path / "data" / "set").exists()
        (work / "set" / "a.bin").write_text("hello")

    for _ in range(2):
        assert (_files.fetch("The set", "set", download) / "a.bin").read_text() == "hello"
    assert len(calls) == 1
    assert not calls[0].exists()


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("File not found or corrupted."), EOFError()])
def test_a_download_that_fails_leaves_nothing_and_says_what_to_do(tmp_path: Path, error: Exception) -> None:
    def download(work: Path) -> None:
        (work / "set").mkdir()
        raise error

    with pytest.raises(RequestError, match="The set is not in the data folder .*expected a folder set or other in it.*"
                       "--data-root or LIPBENCH_DATA.*lipbench prepare"):  # fmt: skip
        _files.fetch("The set", "set", download, otherwise="other")
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".lock.1"]


class TestDecoded:
    pictures = torch.arange(12, dtype=torch.uint8).reshape(1, 3, 2, 2)

    def decoded(self, change: int = 0, code: str = __file__) -> _files.Decoded:
        return _files.decoded("key", code, lambda: _files.Decoded(self.pictures + change, ("said", "of it")))

    def test_pictures_are_kept_with_what_is_said_of_them(self) -> None:
        for change in (0, 1):
            found = self.decoded(change)
            assert torch.equal(found.pictures, self.pictures)
            assert found.notes == ("said", "of it")

    @pytest.mark.parametrize("array", [np.zeros((1, 3, 2, 2)), np.zeros((3, 2), np.uint8)])
    def test_a_file_that_holds_anything_else_is_made_anew(self, tmp_path: Path, array: Any) -> None:
        self.decoded()
        (path,) = (tmp_path / "cache" / "pictures").iterdir()
        np.savez(path, subject=np.array(path.stem), pictures=array, notes=np.array([""]))
        assert torch.equal(self.decoded(1).pictures, self.pictures + 1)

    def test_what_other_code_has_decoded_is_not_used(self, tmp_path: Path) -> None:
        self.decoded()
        other = tmp_path / "other.py"
        other.write_text("other code")
        assert torch.equal(self.decoded(1, str(other)).pictures, self.pictures + 1)
