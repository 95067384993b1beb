"""Your own pictures: every image file below a folder, cropped to its centre square and reduced to size × size.

Source: yours
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lipbench import Dataset, Pictures
from lipbench.data import _files
from lipbench.errors import RequestError
from lipbench.places import expanded

NAMED = 3  # files that a message names


class Folder(Dataset):
    """Every tenth picture, in the order of their paths, is held out. All grey pictures give one channel."""

    default_split = "all"
    path: str
    size: int = 32

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("size must be at least 1")

    def load(self) -> Pictures:
        """Read every image, or name those that cannot be used."""
        files = self._files()
        about = [(str(file.relative_to(self._root)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        key = sha256(repr((self.size, str(self._root.resolve()), about)).encode()).hexdigest()[:16]
        pictures = _files.decoded(f"folder-{key}", lambda: self._read(files))
        held_out = torch.arange(len(pictures)) % 10 == min(9, len(pictures) - 1)
        return Pictures(train=pictures[~held_out], held_out=pictures[held_out])

    @property
    def _root(self) -> Path:
        return expanded(self.path)

    def _files(self) -> list[Path]:
        if not self._root.is_dir():
            raise RequestError(
                f"there is no folder {self.path!r} ({self._root.resolve()}); expected one with images: folder[path=…]"
            )
        readable = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
        found = [path for path in self._root.rglob("*") if path.suffix.lower() in readable]
        files = sorted(path for path in found if path.is_file() and not self._hidden(path))
        if len(files) < 2:
            raise RequestError(
                f"folder {self.path!r} holds {len(files)} image{'s' * (len(files) != 1)}; expected at least 2, "
                f"one to train with and one to hold out (PNG, JPEG or any other format that Pillow reads)"
            )
        return files

    def _hidden(self, path: Path) -> bool:
        return any(part.startswith(".") for part in path.relative_to(self._root).parts)

    def _read(self, files: list[Path]) -> Tensor:
        images: list[np.ndarray] = []
        broken: list[str] = []
        small: list[str] = []
        for file in files:
            name = str(file.relative_to(self._root))
            try:
                with Image.open(file) as opened:
                    image = ImageOps.exif_transpose(opened)
                    if min(image.size) < self.size:
                        small.append(f"{name} ({image.width}×{image.height})")
                    images.append(_square(image, self.size))
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # all that Pillow raises
                broken.append(f"{name} ({error})")
        if broken:
            raise RequestError(f"{self._count(broken, files)} cannot be read: {_some(broken)}; mend or remove them")
        if small:
            raise RequestError(
                f"{self._count(small, files)} are smaller than {self.size}×{self.size}: {_some(small)}; expected "
                f"larger ones: give a smaller size=, or remove them"
            )
        grey = all(image.ndim == 2 for image in images)
        stacked = np.stack([image if grey or image.ndim == 3 else np.stack([image] * 3, -1) for image in images])
        return torch.from_numpy(stacked[:, None] if grey else stacked.transpose(0, 3, 1, 2).copy())

    def _count(self, some: list[str], files: list[Path]) -> str:
        return f"{len(some)} of {len(files)} images in {self.path!r}"


def _square(image: Image.Image, size: int) -> np.ndarray:
    """The centre square as bytes, (size, size) if it is grey, else (size, size, 3); pixels of the right size stay."""
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would clip them
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA", "La")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped before it is reduced, so that nothing from outside the square bleeds into it.
    square = image.convert("L" if grey else "RGB").crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
