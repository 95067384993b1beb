"""The files that go to a Ray cluster's nodes and come back, by their paths below the results folder."""

import sys
from pathlib import Path

from lipbench.disk.files import read_bytes, write_atomically
from lipbench.launch.sweep import Sweep
from lipbench.launchers._ray_node import CHECKPOINT, RESULT, Changes, Files, readable

ORDER = ("trace.jsonl", CHECKPOINT, RESULT)  # written last, in this order


def of_run(sweep: Sweep, name: str) -> Files:
    """All that a run goes on from.

    Raises:
        StoreError: a file cannot be read.
    """
    folder = sweep.folders[name].path
    files = {f"runs/{name}/{each}": read_bytes(folder / each, sys.maxsize) for each in readable(folder)}
    return files | yardsticks(sweep, name)


def yardsticks(sweep: Sweep, name: str) -> Files:
    """The yardsticks of a run's comparison, where there are any; errors as of `of_run`."""
    file = f"yardsticks/{sweep.planned[name].cell.comparison_id}.json"
    try:
        return {file: read_bytes(sweep.results / file)}
    except FileNotFoundError:
        return {}


def sources(sweep: Sweep, name: str) -> Files:
    """The user's own files of a run, for the checks."""
    return {f"sources/{name}/{copy}": content for copy, content in sweep.contents[name].items()}


def keep(sweep: Sweep, name: str, files: Changes) -> bool:
    """Write what has come of a run, each file whole, so that whenever this is interrupted the folder can be used.

    Args:
        sweep: that of the run.
        name: the run's id; empty for what is of none. Its folder is claimed.
        files: what has come; of yardsticks those that are there stay.

    Returns:
        Whether there is a new checkpoint.

    Raises:
        ClaimLostError: another process works on the folder by now.
        StoreError: a file cannot be written.
    """
    rank = {file: number for number, file in enumerate(ORDER, 1)}
    for path in sorted(files, key=lambda path: rank.get(Path(path).name, 0)):
        content, own = files[path], f"runs/{name}/"
        if name and path.startswith(own):
            folder, file = sweep.folders[name], path.removeprefix(own)
            if content is None:
                folder.check_claim()
                folder.file(file).unlink(missing_ok=True)
            else:
                folder.write(file, content)
        elif content is not None and not path.startswith(("runs/", "sources/")):
            kept = sweep.results / path
            if not (path.startswith("yardsticks/") and kept.exists()):
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(kept, content)
    return f"runs/{name}/{CHECKPOINT}" in files
