"""Writes figures to files, several at once: three formats of many figures take most of a report's time.

``python -m lipbench.reports.drawing.press`` writes what it is given on its standard input. A process of its own, as
drawing holds the interpreter. Started like this, because multiprocessing would run a user's script a second time, and
joblib's loky a file of the present folder that bears a library's name; it is also slower to start.
"""

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from lipbench.disk.files import write_atomically
from lipbench.reports import sheets
from lipbench.reports.drawing.style import Drawing, write

Task = tuple[Drawing, Path]
Tasks = SimpleQueue[Task | None]  # None: there will be no more


@contextmanager
def press(helpers: int) -> Iterator[Callable[[Drawing, Path], None]]:
    """Write figures with the help of other processes; all are written when the block ends.

    Args:
        helpers: how many processes besides this one. Each takes a second to start.

    Yields:
        A function that takes a drawing and the path of its files, without their ending: three formats and its data.

    Raises:
        StoreError: a file cannot be written.
    """
    waiting: Tasks = SimpleQueue()
    failed: list[Task] = []
    threads = [Thread(target=_feed, args=(waiting, failed)) for _ in range(helpers)]
    for thread in threads:
        thread.start()
    try:
        yield lambda drawing, stem: waiting.put((drawing, stem))
        while (task := _next(waiting)) is not None:
            _write(*task)
    finally:
        while _next(waiting) is not None:  # after an error nobody wants the rest
            pass
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()
    # What a helper failed at is tried here, where its error is one of this process.
    for task in failed:
        _write(*task)


def _write(drawing: Drawing, stem: Path) -> None:
    write_atomically(stem.with_name(f"{stem.name}.csv"), sheets.to_csv(drawing.data))
    write(drawing.figure, stem)


def _next(waiting: Tasks) -> Task | None:
    with suppress(Empty):
        return waiting.get_nowait()
    return None


def _feed(waiting: Tasks, failed: list[Task]) -> None:
    """Hand figures to a helper, one after the other, until there are no more or it fails."""
    task = None
    try:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as helper:
            assert helper.stdin is not None and helper.stdout is not None  # they are pipes
            while (task := waiting.get()) is not None:
                pickle.dump(task, helper.stdin)
                helper.stdin.flush()
                if not helper.stdout.readline():
                    raise BrokenPipeError
    except OSError:
        if task is not None:
            failed.append(task)


def main() -> None:
    """Write the pickled figures of the standard input, and say so after each."""
    with suppress(EOFError):
        while True:
            _write(*pickle.load(sys.stdin.buffer))
            print("written", flush=True)


if __name__ == "__main__":
    main()
