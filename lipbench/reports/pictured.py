"""Writes the picture of one run's critic, as files."""

from pathlib import Path

from lipbench.disk.drawn import Arrays
from lipbench.errors import StoreError
from lipbench.reports import folder
from lipbench.reports.drawing.plane import portrait
from lipbench.reports.drawing.press import press
from lipbench.reports.pictures import publish
from lipbench.reports.reading.shown import Shown


def write(arrays: Arrays, run_id: str, method: str, seed: int, out: Path, results: Path, *, raw: bool) -> Path:
    """Write the picture as PNG, SVG and PDF, with the numbers along its line as CSV.

    Args:
        arrays: as of `lipbench.tools.picture.of_plane`.
        run_id: the run.
        method: of the run.
        seed: of the run.
        out: the folder of the files; it is made.
        results: the results folder.
        raw: whether the raw critic is shown.

    Returns:
        The path of the PNG.

    Raises:
        RequestError: `out` is where runs are kept.
        StoreError: it cannot be written to.
    """
    folder.check(out, results)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"folder {str(out)!r} cannot be made: {error.strerror}; choose one by --out") from None
    drawing = portrait(Shown(run_id, method, seed, arrays), "critic" if raw else "score")
    with press(0) as send:
        (picture,) = publish(send, {"critic" if raw else "score": drawing}, out, run_id)
    return picture.file("png")
