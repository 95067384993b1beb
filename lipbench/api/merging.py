"""`merge`: results folders of several machines in one."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lipbench.api import arguments as asked
from lipbench.api.launching import standing

if TYPE_CHECKING:
    from lipbench.tools.merged import Merged


@asked.checked
def merge(folders: str | Path | Iterable[str | Path], *, into: str | Path, dry_run: bool = False) -> "Merged":
    """Bring the runs of several results folders together; see ``lipbench merge --help`` for what is done with each.

    Args:
        folders: a results folder, or the folder of a single run, or several.
        into: the results folder that takes them; it is made where there is none.
        dry_run: say what would be done, and do nothing.

    Returns:
        What was done with every run of every folder, and why some are left out.

    Raises:
        RequestError: a folder holds no runs, or they contradict each other; nothing was changed.
        StoreError: `into` cannot be written to; what had come in stays.
    """
    from lipbench.tools import merge as merging

    given = [Path(folders)] if isinstance(folders, str | Path) else [Path(folder) for folder in folders]
    return merging.merge(given, Path(into), standing, dry_run=dry_run)
