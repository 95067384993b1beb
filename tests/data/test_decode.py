"""What picture files hold becomes bytes by one scale, or is refused: never black, never cut."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lipbench.data._decode import decode
from lipbench.data._files import Decoded
from lipbench.errors import RequestError
from tests.pictures import noise, save


def read(folder: Path, size: int = 8) -> Decoded:
    return decode({path.name: path for path in sorted(folder.iterdir())}, size, "images")


def save_colours(path: Path, pixels: Any) -> None:
    """A PNG of 16 bits for each colour, which Pillow reads and does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def test_all_grey_pictures_give_one_channel_and_a_coloured_one_among_them_three(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / f"{seed}.png", noise(8, 8, seed=seed))
    assert read(tmp_path).pictures.shape == (3, 1, 8, 8)
    save(tmp_path / "colour.jpg", noise(8, 8, 3))
    found = read(tmp_path).pictures
    assert found.shape == (4, 3, 8, 8)
    assert torch.equal(found[0, 0], found[0, 2])


@pytest.mark.parametrize("name", ["x.png", "x.gif"])
def test_a_palette_of_greys_is_grey(tmp_path: Path, name: str) -> None:
    Image.fromarray(noise(8, 8)).convert("P").save(tmp_path / name)
    assert np.array_equal(read(tmp_path).pictures[0], noise(1, 8, 8))


def test_a_palette_of_colours_and_equal_channels_of_colour_stay_three(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 8, 3)).quantize(256).save(tmp_path / "palette.png")
    assert np.array_equal(read(tmp_path).pictures[0].permute(1, 2, 0), noise(8, 8, 3))
    (tmp_path / "palette.png").unlink()
    save(tmp_path / "equal.png", np.stack([noise(8, 8)] * 3, -1))
    assert read(tmp_path).pictures.shape == (1, 3, 8, 8)


@pytest.mark.parametrize(("dtype", "ending"), [(np.uint16, "png"), (np.uint16, "tif"), (np.int32, "tif")])
@pytest.mark.parametrize(("bits", "white"), [(8, "255"), (12, "4,095"), (16, "65,535")])
def test_whole_numbers_are_scaled_by_the_bits_that_all_pictures_need(
    tmp_path: Path, dtype: Any, ending: str, bits: int, white: str
) -> None:
    bright, dark = noise(8, 8) | 128, noise(8, 8, seed=1) & 7
    save(tmp_path / f"0.{ending}", dark.astype(dtype) << (bits - 8))
    save(tmp_path / f"1.{ending}", bright.astype(dtype) << (bits - 8))
    found = read(tmp_path)
    assert np.array_equal(found.pictures[:, 0], np.stack([dark, bright]))
    (note,) = found.notes
    assert note.startswith("whole numbers up to") and note.endswith(f" in 2 of 2 pictures: {white} is taken as white")


def test_whole_numbers_are_scaled_before_they_are_reduced_to_a_smaller_size(tmp_path: Path) -> None:
    save(tmp_path / "0.png", np.full((16, 24), 4095, np.uint16))
    assert (read(tmp_path).pictures == 255).all()


@pytest.mark.parametrize(("least", "most"), [(0, 70_000), (-5, 100)])
def test_whole_numbers_of_no_known_scale_are_refused(tmp_path: Path, least: int, most: int) -> None:
    save(tmp_path / "0.tif", np.linspace(least, most, 64).reshape(8, 8).astype(np.int32))
    save(tmp_path / "1.tif", noise(8, 8))
    with pytest.raises(
        RequestError,
        match=f"1 of 2 images in 'images' hold whole numbers from {least} to {most:,}, such as 0.tif; expected 0 to at "
        f"most 65,535: save them",
    ):
        read(tmp_path)


def test_floats_from_0_to_1_are_pictures(tmp_path: Path) -> None:
    for seed in range(2):
        save(tmp_path / f"{seed}.tif", (noise(16, 16, seed=seed) / 255).astype(np.float32))
    found = read(tmp_path, size=16)
    assert np.array_equal(found.pictures[:, 0], np.stack([noise(16, 16), noise(16, 16, seed=1)]))
    assert found.notes == ("floats from 0 to 1 in 2 of 2 pictures: 1 is taken as white",)


@pytest.mark.parametrize(("least", "most"), [(-1, 1), (0, 255)])
def test_other_floats_are_refused_with_their_range(tmp_path: Path, least: float, most: float) -> None:
    save(tmp_path / "0.tif", np.linspace(least, most, 64, dtype=np.float32).reshape(8, 8))
    save(tmp_path / "1.tif", np.zeros((8, 8), np.float32))
    with pytest.raises(
        RequestError, match=rf"2 of 2 images .* floats from {least} to {most}, such as 0.tif; expected 0 \(black\) to 1"
    ):
        read(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_floats_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    save(tmp_path / "0.tif", np.zeros((8, 8), np.float32))
    save(tmp_path / "1.tif", np.full((8, 8), value, np.float32))
    with pytest.raises(RequestError, match="1 of 2 images in 'images' hold NaN or infinite values: 1.tif; mend"):
        read(tmp_path)


def test_colours_of_16_bits_are_read_and_those_that_use_12_refused(tmp_path: Path) -> None:
    save_colours(tmp_path / "0.png", noise(8, 8, 3).astype(np.uint16) * 257)
    assert np.array_equal(read(tmp_path).pictures[0].permute(1, 2, 0), noise(8, 8, 3))
    save_colours(tmp_path / "0.png", noise(8, 8, 3).astype(np.uint16) << 4)
    with pytest.raises(RequestError, match="1 of 1 images .* 16 bits of each colour and use at most 12 of them: 0.png"):
        read(tmp_path)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "P"])
def test_transparency_is_dropped_and_said(tmp_path: Path, mode: str) -> None:
    name = "0.tif" if mode == "PA" else "0.png"
    solid = Image.fromarray(noise(8, 8)).convert(mode[:1] if mode == "PA" else mode).convert(mode)
    solid.save(tmp_path / name)
    assert read(tmp_path).notes == ()
    if mode == "P":
        solid.save(tmp_path / name, transparency=bytes(range(256)))
    else:
        solid.putalpha(128)
        solid.save(tmp_path / name)
    found = read(tmp_path)
    assert np.array_equal(found.pictures[0, 0], noise(8, 8))
    assert found.pictures.shape[1] == (3 if mode == "RGBA" else 1)
    assert found.notes == (
        f"transparency in 1 of 1 pictures ({name}): it is dropped, and the colours under it are taken",
    )


def test_of_several_frames_the_first_is_taken_and_it_is_said(tmp_path: Path) -> None:
    first, *rest = (Image.fromarray(noise(8, 8, seed=seed)) for seed in range(3))
    for name in ("0.gif", "1.tif"):
        first.save(tmp_path / name, save_all=True, append_images=rest)
    save(tmp_path / "2.tif", noise(8, 8))
    found = read(tmp_path)
    assert np.array_equal(found.pictures[:, 0], [noise(8, 8)] * 3)
    assert found.notes == ("several frames in 2 of 3 pictures (0.gif, 1.tif): the first is taken",)


def test_the_centre_square_is_taken_and_reduced(tmp_path: Path) -> None:
    pixels = np.zeros((16, 48), np.uint8)
    pixels[:, 16:32] = 200
    save(tmp_path / "0.png", pixels)
    assert (read(tmp_path).pictures == 200).all()


def test_a_camera_that_was_turned_does_not_turn_the_picture(tmp_path: Path) -> None:
    pixels = noise(8, 8)
    tag = Image.Exif()
    tag[0x0112] = 3  # upside down
    Image.fromarray(pixels[::-1, ::-1]).save(tmp_path / "0.png", exif=tag)
    assert np.array_equal(read(tmp_path).pictures[0, 0], pixels)


def test_a_corrupt_picture_among_good_ones_is_named(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / f"{number}.png", noise(8, 8, seed=number))
    whole = (tmp_path / "3.png").read_bytes()
    (tmp_path / "3.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "4.png").write_text("no picture at all")
    with pytest.raises(
        RequestError, match=r"2 of 5 images in 'images' cannot be read: 3.png \(.*\), 4.png .*; mend or remove"
    ):
        read(tmp_path)


def test_pictures_that_are_too_small_are_named(tmp_path: Path) -> None:
    for number in range(6):
        save(tmp_path / f"{number}.png", noise(8 if number else 4, 5 + number, seed=number))
    with pytest.raises(
        RequestError, match=r"3 of 6 images in 'images' are smaller than 8×8: 0.png \(5×4\), .*smaller size="
    ):
        read(tmp_path)
