"""Files of published data sets: found, checked, downloaded whole or not at all, and kept decoded."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import PIL
import torch
from jaxtyping import UInt8
from torch import Tensor

from lipbench.disk.kept import Arrays, kept
from lipbench.disk.places import cache_folder, data_root, exclusive
from lipbench.errors import RequestError, StoreError


def find(*folders: str) -> Path | None:
    """The first of these folders that is below the data root; None where none is."""
    places = [data_root() / folder for folder in folders]
    return next((place for place in places if place.is_dir()), None)


def check_md5(folder: Path, expected: Mapping[str, str]) -> None:
    """See that each file has the published digest.

    Raises:
        RequestError: one is missing, truncated or changed.
    """
    for name, md5 in expected.items():
        path = folder / name
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "md5").hexdigest()
        except OSError as error:
            raise RequestError(
                f"{str(path)!r} cannot be read ({error.strerror}); expected all of {', '.join(expected)}: "
                f"fetch the data again, or choose another --data-root"
            ) from None
        if found != md5:
            raise RequestError(
                f"{str(path)!r} ({path.stat().st_size:,} bytes) has md5 {found}; expected {md5}: it is truncated or "
                f"changed. Fetch it again, or move {folder.name} away to have it downloaded"
            )


def fetch(title: str, folder: str, download: Callable[[Path], object], otherwise: str = "") -> Path:
    """Download a folder into the data root; one process does it, and it appears there when it is whole.

    Args:
        title: the data set, for people.
        folder: what `download` makes, below the folder that it is given.
        download: fetches into a folder.
        otherwise: the other folders that would do.

    Raises:
        RequestError: there is no network, or no space.
    """
    root = data_root()
    expected = f"a folder {folder}{f' or {otherwise}' if otherwise else ''} in it"
    try:
        with exclusive(root / ".lock"):
            if not (root / folder).is_dir():
                with TemporaryDirectory(dir=root, prefix=".download-") as work:
                    download(Path(work))
                    (root / folder).parent.mkdir(parents=True, exist_ok=True)
                    (Path(work) / folder).rename(root / folder)
    except (
        OSError,
        RuntimeError,
        EOFError,
        StoreError,
    ) as error:  # what torchvision lets through when a download fails
        raise RequestError(
            f"{title} is not in the data folder {str(root)!r} and cannot be downloaded ({error}); expected {expected}. "
            f"Name the folder that holds it by --data-root or LIPBENCH_DATA; where there is a network, "
            f"`lipbench prepare` brings it"
        ) from None
    return root / folder


@dataclass(frozen=True)
class Decoded:
    """Pictures as they were decoded, and what is to be said of it."""

    pictures: UInt8[Tensor, "n c h w"]
    notes: tuple[str, ...] = ()


def decoded(key: str, code: str, make: Callable[[], Decoded]) -> Decoded:
    """Pictures that take long to decode, kept in the cache folder.

    Args:
        key: of all that decides the pictures but the code.
        code: the file of the code that `make` runs: what another version of it has left is not used.
        make: decodes.

    Raises:
        StoreError: the cache folder cannot be written to.
    """
    name = f"{key}-{sha256(Path(code).read_bytes() + PIL.__version__.encode()).hexdigest()[:8]}"
    said: list[str] = []

    def arrays() -> Arrays:
        made = make()
        return {"pictures": made.pictures.numpy(), "notes": np.array(made.notes, np.str_)}

    found = kept(cache_folder() / "pictures" / f"{name}.npz", name, arrays, _fit, said.append)
    # Notes are sentences without their full stops.
    notes = [*map(str, found["notes"]), *(note.removesuffix(".") for note in said)]
    return Decoded(torch.from_numpy(found["pictures"]), tuple(notes))


def _fit(arrays: Arrays) -> bool:
    return (
        arrays.keys() == {"pictures", "notes"}
        and arrays["pictures"].dtype == np.uint8
        and arrays["pictures"].ndim == 4
        and arrays["notes"].ndim == 1
        and arrays["notes"].dtype.kind == "U"
    )
