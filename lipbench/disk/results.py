"""The results folder: whether it can be written to, and the runs that it holds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lipbench.disk import places
from lipbench.disk.store import RunFolder
from lipbench.errors import StoreError, together


def prepare_results(results: Path, option: str = "--results") -> None:
    """Make the results folder and see that it can be written to.

    Args:
        results: the folder.
        option: by which the user chose it.

    Raises:
        StoreError: it cannot.
    """
    try:
        (results / "runs").mkdir(parents=True, exist_ok=True)
        probe = results / "runs" / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except (OSError, ValueError) as error:
        raise StoreError(
            f"results folder {str(results)!r} cannot be written to: {_reason(error)}; choose another with {option}"
        ) from None


def check_results(results: Path, option: str = "--results") -> None:
    """See that the results folder could be made and written to, without making it; arguments as of `prepare_results`.

    Raises:
        StoreError: it could not.
    """
    has_runs(results, option)
    folder = existing(results)
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise StoreError(
            f"results folder {str(results)!r} cannot be written to: {str(folder)!r} is "
            f"{'not writable' if folder.is_dir() else 'a file'}; choose another with {option}"
        )


def existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.absolute().parents) if places.exists(str(place))), Path("/"))


def run_folders(results: Path) -> list[RunFolder]:
    """The run folders below a results folder, by name.

    Raises:
        StoreError: there is no such results folder, or it cannot be read.
    """
    if not has_runs(results):
        raise StoreError(f"there are no runs in {str(results)!r}; start some: lipbench run --methods wc,sn,gp,gn")
    with _readable(results):
        paths = sorted((results / "runs").iterdir())
        return [RunFolder(path) for path in paths if path.is_dir() and not path.name.startswith(".")]


def has_runs(results: Path, option: str = "--results") -> bool:
    """Whether there is a folder of runs below a results folder; arguments as of `prepare_results`.

    Raises:
        StoreError: nobody can say, as the folder cannot be read.
    """
    with _readable(results, option):
        return (results / "runs").is_dir()


@contextmanager
def _readable(results: Path, option: str = "--results") -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise StoreError(
            f"results folder {str(results)!r} cannot be read: {_reason(error)}; give yourself the permission to, or "
            f"choose another with {option}"
        ) from None


def _reason(error: OSError | ValueError) -> str:
    return str(error.strerror if isinstance(error, OSError) else error)


def find_run(results: Path, name: str) -> RunFolder:
    """Find one run by its id, by the beginning of its id, or by its path.

    Raises:
        StoreError: none or several match.
    """
    if places.exists(str(Path(name, "cell.json"))):
        return RunFolder(Path(name).resolve())
    known = run_folders(results)
    matching = [run for run in known if run.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        listed = ", ".join(run.id for run in matching[:5])
        raise StoreError(f"{name!r} is the beginning of {len(matching)} runs: {listed}; give more of the name")
    raise StoreError(
        f"there is no run {name!r} in {str(results)!r}; expected the id of one, or its beginning: "
        f"{together([run.id for run in known], 5) or 'there are none yet'}"
    )
