"""The folders that are to be merged: what they are, the runs and the yardsticks that they hold."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from lipbench.disk.files import read_bytes, read_object, to_json, write_atomically
from lipbench.errors import RequestError, StoreError, together
from lipbench.tools.copies import Copy
from lipbench.work.basis import yardstick_path

FORM = "a results folder, which holds runs/, or the folder of a run, which holds cell.json"


def check(folders: Sequence[Path], into: Path) -> None:
    """See that the folders hold runs, that `into` may take them, and that none is another or lies in it.

    Raises:
        RequestError: one does not.
    """
    if not folders:
        raise RequestError(f"no folder is given to merge; expected {FORM}")
    try:
        for folder in folders:
            if not _is_run(folder) and not (folder / "runs").is_dir():
                raise RequestError(f"{str(folder)!r} is {_instead(folder)}; expected {FORM}")
        if _is_run(into) or any(map(_is_run, into.glob("*"))):
            raise RequestError(
                f"--into is given {str(into)!r}, a folder {'of a run' if _is_run(into) else 'of run folders'}; "
                f"expected a results folder, such as the one that holds it"
            )
        resolved = {place: place.resolve() for place in (*folders, into)}
    except (OSError, ValueError, RuntimeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise RequestError(f"{str(folder)!r} or {str(into)!r} cannot be read: {reason}; expected {FORM}") from None
    for one, other in combinations((*folders, into), 2):
        mine, theirs = resolved[one], resolved[other]
        if mine == theirs:
            raise RequestError(
                f"{str(one)!r} and {str(other)!r} are the same folder; expected each once, and another --into"
            )
        if mine in theirs.parents or theirs in mine.parents:
            inner, outer = (other, one) if mine in theirs.parents else (one, other)
            raise RequestError(
                f"{str(inner)!r} lies in {str(outer)!r}; expected folders apart from each other: leave one out"
            )


def _is_run(folder: Path) -> bool:
    return (folder / "cell.json").is_file()


def _instead(folder: Path) -> str:
    """What is there in place of a folder of runs."""
    if not folder.exists():
        return "a link that leads nowhere" if folder.is_symlink() else "not there"
    if not folder.is_dir():
        return "no folder"
    if any(map(_is_run, folder.iterdir())):
        return f"a folder of run folders (give {str(folder.resolve().parent)!r}, if it is that of a results folder)"
    return "a folder without runs"


def results_of(folder: Path) -> Path:
    """The results folder that was given, or in which the run lies that was given."""
    return folder.resolve().parent.parent if _is_run(folder) else folder


def runs(folder: Path) -> list[Path]:
    """The run folders of a folder that was checked, by name; links that lead nowhere are among them.

    Raises:
        RequestError: it cannot be read.
    """
    if _is_run(folder):
        return [folder.resolve()]  # its name is the run's
    try:
        paths = sorted((folder / "runs").iterdir())
        return [path for path in paths if not path.name.startswith(".") and (path.is_dir() or path.is_symlink())]
    except OSError as error:
        raise RequestError(
            f"{str(folder / 'runs')!r} cannot be read: {error.strerror}; give yourself the permission, or leave it out"
        ) from None


def yardsticks(folder: Path, copies: Sequence[Copy]) -> list[Path]:
    """The yardsticks of a results folder; or those beside a single run, of what it may be compared with.

    Args:
        folder: was checked.
        copies: what could be read of its runs.
    """
    if not _is_run(folder):
        return sorted((folder / "yardsticks").glob("*.json"))
    beside = [yardstick_path(copy.folder.path.parent.parent, copy.cell) for copy in copies]
    return [path for path in beside if path.is_file()]


class Yardsticks:
    """Those of a results folder, and those that come into it.

    Attributes:
        contradictions: what was not made from the same data or by the same extractor, in sentences.
        notes: whose numbers differ, in sentences.
    """

    def __init__(self, into: Path) -> None:
        self.folder, self.contradictions, self.notes = into / "yardsticks", list[str](), list[str]()
        self._known: dict[str, list[tuple[Path, dict[str, Any]]]] = {}

    def add(self, path: Path) -> None:
        """Compare a file with all that is known of its comparison.

        Raises:
            StoreError: it, or the file that is there, is damaged.
        """
        content = read_object(path)
        known = self._of(path.name)
        for other, numbers in known:
            if wrong := _differing(numbers, content):
                self.contradictions.append(f"{other} and {path} differ: {together(wrong)}")
        known.append((path, content))

    def admit(self, copy: Copy) -> None:
        """See that a run that comes in was made from what the yardsticks of its comparison were made from.

        Raises:
            StoreError: those that are there are damaged.
        """
        for path, content in self._of(yardstick_path(self.folder.parent, copy.cell).name):
            if wrong := _differing(content, copy.basis):
                self.contradictions.append(f"{path} and {copy.folder.path} differ: {together(wrong)}")

    def settle(self) -> list[Path]:
        """Choose what comes in, whatever the order of the folders, and note whose numbers do not."""
        chosen = []
        for known in self._known.values():
            if not known:
                continue
            stays = min(known, key=lambda pair: (pair[0].parent != self.folder, to_json(pair[1])))
            self.notes += [
                f"{path} has other numbers than {stays[0]}, which are taken: processors round differently"
                for path, content in known
                if content != stays[1]
            ]
            if stays[0].parent != self.folder:
                chosen.append(stays[0])
        return chosen

    def write(self, paths: Sequence[Path]) -> None:
        """Copy those that were chosen.

        Raises:
            StoreError: they cannot be written.
        """
        for path in paths:
            try:
                self.folder.mkdir(exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{str(self.folder)!r} cannot be made: {error.strerror}; free space there, or move away what is "
                    f"in its place"
                ) from None
            write_atomically(self.folder / path.name, read_bytes(path))

    def _of(self, name: str) -> list[tuple[Path, dict[str, Any]]]:
        """The files of a comparison that are known, that of the results folder the first."""
        if name not in self._known:
            place = self.folder / name
            try:
                self._known[name] = [(place, read_object(place))]
            except FileNotFoundError:
                self._known[name] = []
        return self._known[name]


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The digests that both say, and say differently; all else of yardsticks are numbers."""
    return [
        f"{key} is {value} and {other[key]}"
        for key, value in one.items()
        if isinstance(value, str) and key in other and other[key] != value
    ]
