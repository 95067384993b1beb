"""From picture files to squares of bytes, by one scale for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lipbench.data._files import Decoded
from lipbench.errors import RequestError

NAMED = 3  # files that a message names
DEPTHS = (8, 12, 16)  # bits that cameras and microscopes give
GREY = ("1", "L", "LA", "La")
RAISED = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # all that Pillow raises at a damaged file

Range = tuple[float, float]  # the least and the largest number


@dataclass
class _Found:
    """What the files of a folder were seen to hold, by name."""

    squares: dict[str, np.ndarray] = field(default_factory=dict)
    whole: dict[str, Range] = field(default_factory=dict)
    floats: dict[str, Range] = field(default_factory=dict)
    colours: dict[str, float] = field(default_factory=dict)  # largest byte of 16-bit colours, whose lower byte is lost
    small: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    transparent: list[str] = field(default_factory=list)


def decode(files: Mapping[str, Path], size: int, where: str) -> Decoded:
    """Every picture, cropped to its centre square and reduced to size × size; one channel if all of them are grey.

    Args:
        files: by the names that messages use.
        size: in pixels.
        where: the folder, for messages.

    Raises:
        RequestError: some cannot be read, are too small, or hold numbers whose scale is not known.
    """
    found, of = _Found(), f"of {len(files):,} images in {where!r}"
    for name, path in files.items():
        try:
            _read(name, path, size, found)
        except RAISED as error:
            found.broken.append(f"{name} ({error})")
    if found.broken:
        raise RequestError(f"{len(found.broken):,} {of} cannot be read: {some(found.broken)}; mend or remove them")
    if found.small:
        raise RequestError(
            f"{len(found.small):,} {of} are smaller than {size}×{size}: {some(found.small)}; expected larger ones: "
            f"give a smaller size=, or remove them"
        )
    _check_colours(found.colours, of)
    _check_floats(found.floats, of)
    white = _white(found.whole, of)
    for name in (*found.whole, *found.floats):
        values = np.asarray(_open(files[name])[0])
        levels = values // ((white + 1) // 256) if name in found.whole else np.round(255 * values)
        found.squares[name] = _square(Image.fromarray(levels.astype(np.uint8)), size)
    return Decoded(_stack([found.squares[name] for name in files]), tuple(_notes(found, white)))


def some(names: list[str]) -> str:
    """The first few of many names."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _open(path: Path) -> tuple[Image.Image, bool, bool]:
    """The first frame of a file, upright; whether there are more; whether Pillow gives the upper byte of 16 bits."""
    with Image.open(path) as file:
        moves = bool(getattr(file, "is_animated", False))
        halved = any(";16" in str(tile) for tile in file.tile)
        return ImageOps.exif_transpose(file), moves, halved


def _read(name: str, path: Path, size: int, found: _Found) -> None:
    """Note what a file holds, and keep its square where that needs no scale."""
    image, moves, halved = _open(path)
    if min(image.size) < size:
        found.small.append(f"{name} ({image.width}×{image.height})")
    if moves:
        found.moving.append(name)
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        (found.floats if image.mode == "F" else found.whole)[name] = float(values.min()), float(values.max())
        return
    plain, transparent = _plain(image)
    if transparent:
        found.transparent.append(name)
    if halved:
        found.colours[name] = float(np.asarray(plain).max())
    found.squares[name] = _square(plain, size)


def _white(ranges: Mapping[str, Range], of: str) -> int:
    """The number that is white in pictures of 16 or 32 bits: the largest of as many bits as all of them need."""
    low, high = _reach(ranges)
    for bits in DEPTHS:
        if low >= 0 and high < 2**bits:
            return int(2**bits - 1)
    raise RequestError(
        f"{len(ranges):,} {of} hold whole numbers from {low:,.0f} to {high:,.0f}, such as {_extreme(ranges)}; "
        f"expected 0 to at most {2 ** DEPTHS[-1] - 1:,}: save them with 8 bits, all by one scale"
    )


def _check_floats(ranges: Mapping[str, Range], of: str) -> None:
    broken = [name for name, reach in ranges.items() if not np.isfinite(reach).all()]
    if broken:
        raise RequestError(f"{len(broken):,} {of} hold NaN or infinite values: {some(broken)}; mend or remove them")
    low, high = _reach(ranges)
    if low < 0 or high > 1:
        raise RequestError(
            f"{len(ranges):,} {of} hold floats from {low:g} to {high:g}, such as {_extreme(ranges)}; expected 0 "
            f"(black) to 1 (white): bring all of them there by one scale, or save them with 8 bits"
        )


def _check_colours(largest: Mapping[str, float], of: str) -> None:
    """Refuse 12 bits in 16 of each colour: of these Pillow gives the upper byte alone, nearly black."""
    if largest and max(largest.values()) < 2 ** (DEPTHS[1] - 8):
        raise RequestError(
            f"{len(largest):,} {of} hold 16 bits of each colour and use at most {DEPTHS[1]} of them: "
            f"{some(list(largest))}; expected all 16, or the pictures are nearly black: save them with 8 bits"
        )


def _reach(ranges: Mapping[str, Range]) -> Range:
    """The least and largest number of all; 0 and 0 of none."""
    return min((low for low, _ in ranges.values()), default=0.0), max(
        (high for _, high in ranges.values()), default=0.0
    )


def _extreme(ranges: Mapping[str, Range]) -> str:
    """The file whose numbers reach furthest from 0."""
    return max(ranges, key=lambda name: max(map(abs, ranges[name])))


def _plain(image: Image.Image) -> tuple[Image.Image, bool]:
    """Bytes of one channel or three, and whether some of it was transparent; a palette of greys is grey."""
    grey, palette, transparent = image.mode in GREY, image.mode in ("P", "PA"), False
    if image.has_transparency_data:
        image = image.convert("RGBA")
        transparent = np.asarray(image.getchannel("A")).min() < 255
    image = image.convert("L" if grey else "RGB")
    if palette:
        red, green, blue = image.split()
        image = red if red.tobytes() == green.tobytes() == blue.tobytes() else image
    return image, bool(transparent)


def _square(image: Image.Image, size: int) -> np.ndarray:
    """The centre square as bytes, (size, size) if it is grey, else (size, size, 3); pixels of the right size stay."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped before it is reduced, so that nothing from outside the square bleeds into it.
    square = image.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


def _stack(images: list[np.ndarray]) -> Tensor:
    grey = all(image.ndim == 2 for image in images)
    stacked = np.stack([image if grey or image.ndim == 3 else np.stack([image] * 3, -1) for image in images])
    return torch.from_numpy(stacked[:, None] if grey else stacked.transpose(0, 3, 1, 2).copy())


def _notes(found: _Found, white: int) -> list[str]:
    said, of = [], f"of {len(found.squares):,} pictures"
    if found.whole:
        high = _reach(found.whole)[1]
        said.append(f"whole numbers up to {high:,.0f} in {len(found.whole):,} {of}: {white:,} is taken as white")
    if found.floats:
        low, high = _reach(found.floats)
        said.append(f"floats from {low:g} to {high:g} in {len(found.floats):,} {of}: 1 is taken as white")
    if found.moving:
        said.append(f"several frames in {len(found.moving):,} {of} ({some(found.moving)}): the first is taken")
    if found.transparent:
        said.append(
            f"transparency in {len(found.transparent):,} {of} ({some(found.transparent)}): it is dropped, and the "
            f"colours under it are taken"
        )
    return said
