"""Where data, caches and weights lie on this machine. None of it is part of what a run is.

Each place is an environment variable, so that every process of a sweep sees the same; `at` sets them for a block.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE, DATA, INCEPTION = "LIPBENCH_CACHE", "LIPBENCH_DATA", "LIPBENCH_INCEPTION"


def cache_folder() -> Path:
    """What can be made again: ``$LIPBENCH_CACHE``, or ``lipbench`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get(CACHE) or Path(base, "lipbench")).expanduser()


def data_root() -> Path:
    """Published data sets: ``$LIPBENCH_DATA``, or ``data`` in the cache folder."""
    return Path(os.environ.get(DATA) or cache_folder() / "data").expanduser()


def inception_weights() -> Path | None:
    """The Inception network's weights: ``$LIPBENCH_INCEPTION``; None where it is not set."""
    given = os.environ.get(INCEPTION)
    return Path(given).expanduser() if given else None


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Wait until no other process is in a block with this file, so that each thing is fetched once."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def at(data_root: str | Path | None, inception_weights: str | Path | None) -> Iterator[None]:
    """Set places for the block, and for the processes that are started in it; None leaves one as it is."""
    given = {DATA: data_root, INCEPTION: inception_weights}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update({name: str(Path(place).expanduser().resolve()) for name, place in given.items() if place})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
