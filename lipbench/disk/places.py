"""Where data, caches and weights lie on this machine. None of it is part of what a run is.

Each place is an environment variable, so that every process of a sweep sees the same; `at` sets them for a block.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from lipbench.disk import claims
from lipbench.errors import RequestError

CACHE, DATA, INCEPTION = "LIPBENCH_CACHE", "LIPBENCH_DATA", "LIPBENCH_INCEPTION"


def expanded(path: str | PathLike[str]) -> Path:
    """The path, a leading ``~`` or ``~user`` replaced by a home folder.

    Raises:
        RequestError: there is no such user, or this one has no home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise RequestError(
            f"{str(path)!r} begins with the home folder of a user who is not known or has none; expected a path from /"
            f" or from the present folder (the cache is placed by LIPBENCH_CACHE)"
        ) from None


def exists(path: str) -> bool:
    """Whether anything is there; False of what cannot be a path."""
    try:
        return expanded(path).exists()
    except (RequestError, OSError, ValueError):
        return False


def cache_folder() -> Path:
    """What can be made again: ``$LIPBENCH_CACHE``, or ``lipbench`` in the user's cache folder."""
    given = os.environ.get(CACHE)
    return expanded(given or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "lipbench"))


def data_root() -> Path:
    """Published data sets: ``$LIPBENCH_DATA``, or ``data`` in the cache folder."""
    return expanded(os.environ.get(DATA) or cache_folder() / "data")


def inception_weights() -> Path | None:
    """The Inception network's weights: ``$LIPBENCH_INCEPTION``; None where it is not set."""
    given = os.environ.get(INCEPTION)
    return expanded(given) if given else None


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Wait until no other process is in a block with this file, so that each thing is fetched once.

    Raises:
        StoreError: nobody may write there.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with claims.held(lock, wait=True):
        yield


@contextmanager
def at(data_root: str | Path | None, inception_weights: str | Path | None) -> Iterator[None]:
    """Set places for the block, and for the processes that are started in it; None leaves one as it is."""
    given = {DATA: data_root, INCEPTION: inception_weights}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update({name: str(expanded(place).resolve()) for name, place in given.items() if place})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
