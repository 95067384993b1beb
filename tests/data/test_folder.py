"""A user's own pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lipbench.data.folder import Folder
from lipbench.errors import RequestError
from tests.assets import CIFAR10, needs


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


def noise(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, pixels: Any, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def load(folder: Path, size: int = 8) -> torch.Tensor:
    return Folder(path=str(folder), size=size).load().split("all")


def test_pictures_of_the_right_size_come_through_bit_by_bit_in_the_order_of_their_paths(folder: Path) -> None:
    made = [noise(8, 8, 3, seed=seed) for seed in range(3)]
    for name, pixels in zip(("b/1.png", "a.bmp", "c.webp"), made, strict=True):
        save(folder / name, pixels, **({"lossless": True} if name.endswith("webp") else {}))
    found = load(folder).permute(0, 2, 3, 1).numpy()
    for row, wanted in enumerate((made[1], made[0], made[2])):
        assert np.array_equal(found[row], wanted)


def test_all_grey_pictures_give_one_channel_and_a_coloured_one_among_them_three(folder: Path) -> None:
    for seed in range(3):
        save(folder / f"{seed}.png", noise(8, 8, seed=seed))
    assert load(folder).shape == (3, 1, 8, 8)
    save(folder / "colour.jpg", noise(8, 8, 3))
    found = load(folder)
    assert found.shape == (4, 3, 8, 8)
    assert torch.equal(found[0, 0], found[0, 2])


def test_the_centre_square_is_taken_and_reduced(folder: Path) -> None:
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 200
    for name in ("0.png", "1.png"):
        save(folder / name, pixels)
    assert (load(folder) == 200).all()


def test_every_tenth_picture_is_held_out_and_of_fewer_the_last(folder: Path) -> None:
    for number in range(25):
        save(folder / f"{number:02}.png", np.full((8, 8), number, np.uint8))
    pictures = Folder(path=str(folder), size=8).load()
    assert pictures.held_out[:, 0, 0, 0].tolist() == [9, 19]
    assert len(pictures.train) == 23
    for number in range(3, 25):
        (folder / f"{number:02}.png").unlink()
    assert Folder(path=str(folder), size=8).load().held_out[:, 0, 0, 0].tolist() == [2]


def test_sixteen_bit_and_palette_and_transparent_pictures_are_read(folder: Path) -> None:
    save(folder / "0.png", (noise(8, 8).astype(np.uint16) << 8) + 7)
    Image.fromarray(noise(8, 8, 3)).quantize(256).save(folder / "1.png")
    save(folder / "2.png", noise(8, 8, 4))
    found = load(folder)
    assert found.shape == (3, 3, 8, 8)
    assert np.array_equal(found[0, 0].numpy(), noise(8, 8))


def test_a_camera_that_was_turned_does_not_turn_the_picture(folder: Path) -> None:
    pixels = noise(8, 8)
    tag = Image.Exif()
    tag[0x0112] = 3  # upside down
    for name in ("0.png", "1.png"):
        Image.fromarray(pixels[::-1, ::-1]).save(folder / name, exif=tag)
    assert np.array_equal(load(folder)[0, 0].numpy(), pixels)


def test_other_files_are_passed_over(folder: Path) -> None:
    for name in ("0.png", "1.png"):
        save(folder / name, noise(8, 8))
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_text("nor this")
    save(folder / ".cache" / "2.png", noise(8, 8))
    (folder / "folder.png").mkdir()
    assert len(load(folder)) == 2


def test_a_changed_picture_is_read_again(folder: Path) -> None:
    for name in ("0.png", "1.png"):
        save(folder / name, noise(8, 8))
    first = load(folder)
    save(folder / "0.png", noise(8, 8, seed=5))
    assert not torch.equal(load(folder)[0], first[0])


def test_a_corrupt_picture_among_good_ones_is_named(folder: Path) -> None:
    for number in range(5):
        save(folder / f"{number}.png", noise(8, 8, seed=number))
    whole = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(whole[: len(whole) // 2])
    (folder / "4.png").write_text("no picture at all")
    with pytest.raises(
        RequestError, match=r"2 of 5 images in '.*' cannot be read: 3.png \(.*\), 4.png .*; mend or remove"
    ):
        load(folder)


def test_pictures_that_are_too_small_are_named(folder: Path) -> None:
    for number in range(6):
        save(folder / f"{number}.png", noise(8 if number else 4, 5 + number, seed=number))
    with pytest.raises(
        RequestError, match=r"3 of 6 images in '.*' are smaller than 8×8: 0.png \(5×4\), .*smaller size="
    ):
        load(folder)


@pytest.mark.parametrize("count", [0, 1])
def test_a_folder_with_fewer_than_two_pictures_is_refused(folder: Path, count: int) -> None:
    for number in range(count):
        save(folder / f"{number}.png", noise(8, 8))
    with pytest.raises(RequestError, match=f"holds {count} image.*; expected at least 2"):
        load(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no folder '.*nowhere' .*; expected one with images"):
        load(tmp_path / "nowhere")


def test_a_size_of_0_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1"):
        Folder(path="x", size=0)


@needs(CIFAR10)
def test_real_pictures_saved_as_png_come_back_bit_by_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lipbench.data.cifar10 import Cifar10

    monkeypatch.setenv("LIPBENCH_DATA", str(CIFAR10.parent))
    pictures = Cifar10().load().held_out[:40]
    for number, picture in enumerate(pictures):
        save(folder / f"{number:02}.png", picture.permute(1, 2, 0).numpy())
    found = Folder(path=str(folder)).load()
    assert torch.equal(found.held_out, pictures[9::10])
