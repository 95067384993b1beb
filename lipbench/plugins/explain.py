"""An exception in one sentence: what was raised, and at which line of which of the user's files."""

import re
import traceback
from collections.abc import Mapping
from pathlib import Path

OWN = "lipbench_file_"  # before the name of the module that a user's file becomes
LONGEST = 400  # characters of a message: torch's own can fill a screen


def explain(error: BaseException, files: Mapping[Path, Path]) -> str:
    """Say what was raised, and where.

    Args:
        error: anything that was raised.
        files: the user's own files as they were imported, and where the user has them.

    Returns:
        Such as ``NameError: name 'weight' is not defined (./mine.py, line 12, in penalty)``. The place is the innermost
        line in one of the files, and is left out where none of them took part.
    """
    raised = f"{type(error).__name__}: {_first_line(error)}".removesuffix(": ")
    place = _place(error, {path.resolve(): shown for path, shown in files.items()})
    return f"{raised} ({place})" if place else raised


def _first_line(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    # A user knows modules by their own names, and the file itself by a dot, as in `from . import`.
    text = re.sub(rf"{OWN}[0-9a-f]+(\.?)", lambda found: "" if found[1] else ".", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:LONGEST] if lines else ""


def _place(error: BaseException, files: Mapping[Path, Path]) -> str:
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve() in files:
        return f"{files[Path(error.filename).resolve()]}, line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        shown = files.get(Path(frame.filename).resolve())
        if shown is not None:
            inside = "" if frame.name == "<module>" else f", in {frame.name}"
            return f"{shown}, line {frame.lineno}{inside}"
    return _place(error.__cause__, files) if error.__cause__ is not None else ""
