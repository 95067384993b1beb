"""A user's own folder of pictures: which files are taken, which are held out, and what is said of it."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lipbench.data.folder import Folder, _draw
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Pictures
from tests.assets import CIFAR10, needs
from tests.pictures import noise, save


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


def load(folder: Path, size: int = 8) -> Pictures:
    return Folder(path=str(folder), size=size).load()


def levels(folder: Path) -> list[int]:
    """Of uniform pictures, sorted."""
    return sorted(load(folder).split("all")[:, 0, 0, 0].tolist())


def save_level(path: Path, level: int) -> None:
    save(path, np.full((8, 8), level, np.uint8))


def test_pictures_of_the_right_size_come_through_bit_by_bit_and_keep_the_order_of_their_paths(folder: Path) -> None:
    made = {name: noise(8, 8, 3, seed=seed) for seed, name in enumerate(("a.bmp", "b/1.png", "c.webp"))}
    for name, pixels in made.items():
        save(folder / name, pixels, **({"lossless": True} if name.endswith("webp") else {}))
    pictures, held_out = load(folder), _draw(list(made))
    wanted = torch.from_numpy(np.stack(list(made.values()))).permute(0, 3, 1, 2)
    assert torch.equal(pictures.train, wanted[~held_out])
    assert torch.equal(pictures.held_out, wanted[held_out])


class TestWhatIsHeldOut:
    @given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=60))
    def test_is_a_tenth_and_at_least_one(self, names: set[str]) -> None:
        assert _draw(sorted(names)).sum() == max(1, len(names) // 10)

    def test_holds_no_class_out_whole_whatever_the_classes_are_called(self) -> None:
        for period in (1, 5, 10, 20):  # a picture of each class in turn, or one class after the other
            names = [f"{i % period:02}/{i:04}.png" for i in range(1000)]
            drawn = _draw(names).reshape(-1, period).double().mean(dim=0)
            assert drawn.min() > 0 and drawn.max() < 0.3
        drawn = _draw([f"{i // 100}/{i:04}.png" for i in range(1000)]).reshape(10, 100).sum(dim=1)
        assert drawn.min() >= 1 and drawn.max() <= 25

    def test_depends_on_the_names_alone(self, tmp_path: Path) -> None:
        for place in ("here", "there/deeper"):
            for number in range(20):
                save_level(tmp_path / place / f"{number:02}.png", number)
        here, there = (load(tmp_path / place).held_out[:, 0, 0, 0].tolist() for place in ("here", "there/deeper"))
        assert here == there == [3, 6]  # for good: measured numbers depend on it

    def test_hardly_changes_when_pictures_are_added(self) -> None:
        names = [f"{i:04}.png" for i in range(1000)]
        before = {name for name, out in zip(names, _draw(names), strict=True) if out}
        more = [*names, *(f"new{i}.png" for i in range(10))]
        after = {name for name, out in zip(more, _draw(more), strict=True) if out}
        assert len(before - after) <= 5

    def test_is_said(self, folder: Path) -> None:
        for number in range(25):
            save_level(folder / f"{number:02}.png", number)
        assert load(folder).notes == ("held out when training: 2 of 25 pictures",)


class TestLinks:
    def test_of_class_folders_and_of_pictures_are_followed(self, folder: Path, tmp_path: Path) -> None:
        save_level(folder / "cats" / "0.png", 1)
        save_level(tmp_path / "elsewhere" / "dogs" / "puppies" / "0.png", 2)
        save_level(tmp_path / "elsewhere" / "bird.png", 3)
        (folder / "dogs").symlink_to(tmp_path / "elsewhere" / "dogs")
        (folder / "bird.png").symlink_to(tmp_path / "elsewhere" / "bird.png")
        assert levels(folder) == [1, 2, 3]

    def test_to_another_class_give_its_pictures_twice_and_those_that_lead_back_nothing(self, folder: Path) -> None:
        save_level(folder / "a" / "0.png", 1)
        save_level(folder / "b" / "0.png", 2)
        (folder / "c").symlink_to(folder / "a")
        (folder / "b" / "back").symlink_to(folder)
        (folder / "b" / "itself").symlink_to(folder / "b")
        assert levels(folder) == [1, 1, 2]

    def test_that_lead_nowhere_are_named(self, folder: Path, tmp_path: Path) -> None:
        save_level(folder / "0.png", 1)
        for name in ("1.png", "class"):
            (folder / name).symlink_to(tmp_path / "gone" / name)
        with pytest.raises(RequestError, match=r"links in '.*images' lead nowhere \(2: 1.png, class\); mend or remove"):
            load(folder)

    def test_in_a_ring_are_named(self, folder: Path) -> None:
        (folder / "ring").symlink_to(folder / "ring")
        with pytest.raises(RequestError, match=r"ring' below '.*images' cannot be read \(.*symbolic links\); mend or"):
            load(folder)


def test_a_folder_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(RequestError, match=r"images' below '.*' cannot be read \(Permission denied\)"):
        load(folder)


def test_other_files_are_left_out_and_named_but_for_hidden_ones(folder: Path) -> None:
    for name in ("0.png", "1.png"):
        save(folder / name, noise(8, 8))
    for name in ("labels.txt", "x.psd", "y.eps", "meta.json", "data.h5"):
        (folder / name).write_text("not a picture")
    (folder / ".hidden.png").write_text("nor this")
    save(folder / ".cache" / "2.png", noise(8, 8))
    (folder / "folder.png").mkdir()
    for _ in range(2):  # decoded, and from the cache
        pictures = load(folder)
        assert len(pictures.split("all")) == 2
        assert pictures.notes[0] == "left out, as they are no pictures: 5 of 7 files (data.h5, labels.txt, meta.json …)"


def test_a_changed_picture_is_read_again(folder: Path) -> None:
    for name in ("0.png", "1.png"):
        save(folder / name, noise(8, 8))
    first = load(folder).split("all")
    save(folder / "0.png", noise(8, 8, seed=5))
    assert not torch.equal(load(folder).split("all"), first)


def test_what_was_decoded_is_said_again_from_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2):
        save(folder / f"{number}.png", noise(8, 8).astype(np.uint16) << 4)
    first = load(folder)
    monkeypatch.setattr("lipbench.data._decode.decode", None)
    again = load(folder)
    assert again.notes == first.notes and "4,095 is taken as white" in first.notes[0]
    assert torch.equal(again.train, first.train)


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_with_fewer_than_two_pictures_is_refused(folder: Path, count: int) -> None:
    for number in range(count):
        save(folder / f"{number}.png", noise(8, 8))
    with pytest.raises(RequestError, match=f"holds {count} images?; expected at least 2"):
        load(folder)
    (folder / "a.psd").write_text("")
    with pytest.raises(RequestError, match=rf"holds {count} images? beside other files \(1: a.psd\); expected"):
        load(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no folder '.*nowhere' .*; expected one with images"):
        load(tmp_path / "nowhere")


def test_a_size_of_0_and_an_empty_path_are_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1"):
        Folder(path="x", size=0)
    with pytest.raises(ValueError, match="path is empty"):
        Folder(path="")


@needs(CIFAR10)
def test_real_pictures_saved_as_png_come_back_bit_by_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lipbench.data.cifar10 import Cifar10

    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    pictures = Cifar10().load().held_out[:40]
    names = [f"{number:02}.png" for number in range(40)]
    for name, picture in zip(names, pictures, strict=True):
        save(folder / name, picture.permute(1, 2, 0).numpy())
    found = Folder(path=str(folder)).load()
    assert torch.equal(found.held_out, pictures[_draw(names)])
    assert torch.equal(found.train, pictures[~_draw(names)])
