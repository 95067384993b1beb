"""The folder of a report: a new one is written apart, and takes the place of an earlier one when it is whole."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lipbench.disk.files import read_text, write_atomically
from lipbench.errors import RequestError, StoreError

LIST = ".report.json"  # of the files that a report wrote, by which the next one knows what it may remove
FIGURES = "figures"
FOLDERS = ["tables", FIGURES]


def check(out: Path, results: Path, option: str = "--out") -> None:
    """See that a report has no place among runs, where its folders would be taken for some.

    Args:
        out: its folder.
        results: the results folder.
        option: by which another is chosen.

    Raises:
        RequestError: it would be written there.
    """
    try:
        place = out.resolve()
        runs = (results / "runs").resolve()
        above = [place, *place.parents]
        within = runs in above or any((each / "cell.json").exists() for each in above)
        among = within or next(place.glob("*/cell.json"), None) is not None
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links is a RuntimeError
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise RequestError(f"report folder {str(out)!r} cannot be made: {reason}; choose one by {option}") from None
    if among:
        raise RequestError(
            f"report folder {str(out)!r} is where runs are kept; expected one apart from them: choose another by "
            f"{option}"
        )


@contextmanager
def renewed(out: Path) -> Iterator[Path]:
    """Write a report.

    Args:
        out: its folder.

    Yields:
        A folder with empty ``tables`` and ``figures``. When the block ends, everything in it takes its place in `out`,
        and what an earlier report wrote and this one did not is removed. Files of others stay. After an error, all of
        an earlier report stays.

    Raises:
        StoreError: the folder cannot be written to.
    """
    is_new = not out.exists()
    try:
        for name in FOLDERS:
            (out / name).mkdir(parents=True, exist_ok=True)
        # Within `out`: on the same disk whatever is mounted there.
        apart = tempfile.TemporaryDirectory(prefix=".report-", dir=out)
    except OSError as error:
        raise StoreError(f"report folder {str(out)!r} cannot be made: {error.strerror}; choose one by --out") from None
    try:
        with apart:
            for name in FOLDERS:
                (Path(apart.name) / name).mkdir()
            yield Path(apart.name)
            try:
                _take_places(Path(apart.name), out)
            except OSError as error:
                raise StoreError(
                    f"report folder {str(out)!r} cannot be written to: {error.strerror}; choose another one by --out"
                ) from None
    except BaseException:  # no empty folders stay where nothing came of a report
        for folder in [out / name for name in FOLDERS] + [out] if is_new else []:
            with suppress(OSError):
                folder.rmdir()
        raise


def foreign(out: Path, new: Path) -> list[str]:
    """What lies among the tables and figures of `out` and is neither of the new report nor known as of an earlier one.

    Args:
        out: the folder of the report.
        new: that of `renewed`.
    """
    return sorted(set(_files(out)) - set(_listed(out)) - set(_files(new)))


def _take_places(new: Path, out: Path) -> None:
    tables_and_figures, stale = _files(new), _listed(out)
    # Named before they are there: stopped in between, the next report still knows them all.
    write_atomically(out / LIST, json.dumps(sorted({*stale, *tables_and_figures})))
    # The page comes last: what it refers to is there.
    others = sorted((path.name for path in new.iterdir() if path.is_file()), key=lambda name: name == "index.html")
    for name in [*tables_and_figures, *others]:
        (new / name).replace(out / name)
    for name in set(stale) - set(tables_and_figures):
        (out / name).unlink(missing_ok=True)
    write_atomically(out / LIST, json.dumps(tables_and_figures))


def _files(folder: Path) -> list[str]:
    """The files among its tables and figures."""
    paths = [path for name in FOLDERS for path in (folder / name).iterdir() if path.is_file()]
    return sorted(f"{path.parent.name}/{path.name}" for path in paths)


def _listed(out: Path) -> list[str]:
    """Those that an earlier report wrote and that are there; none where its list is missing or damaged."""
    try:
        listed = json.loads(read_text(out / LIST))
    except (FileNotFoundError, StoreError, ValueError, RecursionError):
        return []
    return [name for name in _files(out) if isinstance(listed, list) and name in listed]
