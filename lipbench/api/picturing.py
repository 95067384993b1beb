"""`picture`: what a run's critic looks like over the plane."""

from pathlib import Path

from lipbench.api import arguments as asked
from lipbench.disk.results import find_run
from lipbench.request import cell as cells


@asked.checked
def picture(
    run: str | Path,
    *,
    raw: bool = False,
    out: str | Path | None = None,
    device: str = "auto",
    results: str | Path = "results",
) -> Path:
    """Draw the contours of a run's critic, trained on points of two numbers, and its course along one line.

    Args:
        run: a run's id, the beginning of one, or a folder.
        raw: whether to draw the raw critic rather than its score, what losses see.
        out: the folder for the PNG, SVG, PDF and CSV; ``pictures`` in the results folder if None.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, …
        results: the results folder that holds the run.

    Returns:
        The path of the PNG.

    Raises:
        RequestError: the run has other data, such as images.
        StoreError: there is no such run, it has no checkpoint, or the files cannot be written.
    """
    from lipbench.reports import pictured
    from lipbench.tools.picture import of_plane
    from lipbench.work.device import choose_device

    folder = find_run(Path(results), str(run))
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    arrays = of_plane(folder, choose_device(device), raw=raw)
    place = Path(out) if out is not None else Path(results) / "pictures"
    return pictured.write(arrays, folder.id, cell.method, cell.seed, place, Path(results), raw=raw)
