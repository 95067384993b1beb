"""Your own pictures: every image file below a folder, cropped to its centre square and reduced to size × size.

Source: yours
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import torch
from PIL import Image

from lipbench.data import _decode, _files
from lipbench.data._decode import some
from lipbench.disk.places import expanded
from lipbench.errors import RequestError
from lipbench.interfaces.dataset import Dataset, Pictures

# What Pillow knows by name and opens only with the help of other programs, or what is a drawing's source.
DOCUMENTS = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "PSD", "WMF"}


class Folder(Dataset):
    """A tenth of the pictures, drawn by their names, is held out. All grey pictures give one channel."""

    default_split = "all"
    path: str
    size: int = 32

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("size must be at least 1")
        if not self.path:
            raise ValueError("path is empty; expected a folder")  # or an unset variable would mean the present one

    def load(self) -> Pictures:
        """Read every image, or name those that cannot be used."""
        root = expanded(self.path)
        if not root.is_dir():
            raise RequestError(
                f"there is no folder {self.path!r} ({root.resolve()}); expected one with images: folder[path=…]"
            )
        files, others = self._files(root)
        about = [(name, file.stat().st_size, file.stat().st_mtime_ns) for name, file in files.items()]
        key = sha256(repr((self.size, str(root.resolve()), about)).encode()).hexdigest()[:16]
        found = _files.decoded(f"folder-{key}", _decode.__file__, lambda: _decode.decode(files, self.size, self.path))
        held_out = _draw(list(files))
        notes = [*found.notes, f"held out when training: {int(held_out.sum()):,} of {len(files):,} pictures"]
        if others:
            everything = f"{len(files) + len(others):,} files"
            notes.insert(0, f"left out, as they are no pictures: {len(others):,} of {everything} ({some(others)})")
        return Pictures(found.pictures[~held_out], found.pictures[held_out], tuple(notes))

    def _files(self, root: Path) -> tuple[dict[str, Path], list[str]]:
        """The images by name, in the order of their paths, and the names of all other files."""
        endings = Image.registered_extensions()
        readable = {ending for ending, kind in endings.items() if kind in Image.OPEN and kind not in DOCUMENTS}
        try:
            paths = sorted(_walk(root, frozenset()))
            lost = [str(path.relative_to(root)) for path in paths if not path.exists()]
        except OSError as error:
            raise RequestError(
                f"{error.filename!r} below {self.path!r} cannot be read ({error.strerror}); mend or remove it"
            ) from None
        if lost:
            raise RequestError(
                f"links in {self.path!r} lead nowhere ({len(lost):,}: {some(lost)}); mend or remove them"
            )
        named = {str(path.relative_to(root)): path for path in paths}
        files = {name: path for name, path in named.items() if path.suffix.lower() in readable and path.is_file()}
        others = [name for name in named if name not in files]
        if len(files) < 2:
            beside = f" beside other files ({len(others):,}: {some(others)})" if others else ""
            raise RequestError(
                f"folder {self.path!r} holds {len(files)} image{'s' * (len(files) != 1)}{beside}; expected at least 2 "
                f"images, one to train with and one to hold out (PNG, JPEG or any other format that Pillow reads by "
                f"itself)"
            )
        return files, others


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Every file below a folder that is not hidden; links are followed, but for those to a folder that they lie in."""
    status = folder.stat()
    here = above | {(status.st_dev, status.st_ino)}
    if len(here) == len(above):
        return
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry), here)
        else:
            yield Path(entry)


def _draw(names: list[str]) -> torch.Tensor:
    """Which tenth is held out: the names whose hashes come first, so that no order or period of the names matters.

    A picture's lot depends on its own name below the folder, and on those of the others only at the border of the
    tenth: where the folder lies does not matter, and a picture that is added leaves the others where they are.
    """
    lots = [sha256(os.fsencode(name)).digest() for name in names]
    last = sorted(lots)[max(1, len(names) // 10) - 1]
    return torch.tensor([lot <= last for lot in lots])
