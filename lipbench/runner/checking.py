"""The launcher's side of what comes before the first run: one cell of each sort is built, checked and rehearsed."""

import time
from collections.abc import Sequence
from pathlib import Path

from lipbench.errors import RequestError
from lipbench.plan import Planned
from lipbench.runner.connection import Connection
from lipbench.runner.listener import Forecast, Listener


def check(
    server: Connection,
    planned: Sequence[Planned],
    *,
    jobs: int,
    timeout: float | None,
    log: Path,
    measure: bool,
    listener: Listener,
) -> Forecast:
    """Have the server check one cell of each sort.

    Args:
        server: does it in a process of its own.
        planned: the cells to come.
        jobs: how many will run at a time.
        timeout: seconds for each stage, or None.
        log: where what plugins print goes.
        measure: whether to measure the real pictures, too.
        listener: is told what is done.

    Returns:
        What all cells together will take.

    Raises:
        RequestError: a check failed or took too long.
    """
    listener.preparing()
    sorts: dict[str, list[Planned]] = {}
    for item in planned:
        sorts.setdefault(item.cell.model_copy(update={"seed": 0}).to_json(), []).append(item)
    wanted = [
        {
            "cell": first.cell.model_dump(mode="json"),
            "sources": {copy: str(path) for copy, path in first.sources.items()},
        }
        for first, *_ in sorts.values()
    ]
    server.send({"prepare": wanted, "log": str(log), "measure": measure})
    found: list[Forecast] = []
    noted: set[str] = set()
    stage = "starting"
    since: float | None = None  # loading torch does not count
    while True:
        for event in server.events(patience=1.0 if timeout is None else min(1.0, timeout)):
            if event["event"] == "checking":
                stage, since = str(event["text"]), time.monotonic()
                listener.checking(stage)
            elif event["event"] == "noted" and event["text"] not in noted:
                noted.add(event["text"])
                listener.noted(event["text"])
            elif event["event"] == "fits":
                found.append(Forecast(event["seconds"], event["disk"]))
            elif event["event"] == "refused":
                raise RequestError(event["message"])
            elif event["event"] == "prepared":
                counts = [len(cells) for cells in sorts.values()]
                forecast = _together(found, counts, jobs)
                listener.checked(forecast)
                return forecast
            elif event["event"] == "exit":
                raise RequestError(_ended(event, stage, log))
        if timeout is not None and since is not None and time.monotonic() - since > timeout:
            server.send({"kill": ""})
            raise RequestError(
                f"{stage} takes longer than {timeout:g} s; expected each stage of the checks to end in that time: give "
                f"a longer --timeout, or see whether something there never ends"
            )


def _together(each: Sequence[Forecast], counts: Sequence[int], jobs: int) -> Forecast:
    seconds = sum(count * one.seconds for one, count in zip(each, counts, strict=True))
    disk = sum(count * one.disk for one, count in zip(each, counts, strict=True))
    return Forecast(seconds / max(1, min(jobs, sum(counts))), disk)


def _ended(event: dict[str, object], stage: str, log: Path) -> str:
    how = f"signal {event['signal']}" if event["signal"] else f"exit code {event['code']}"
    cure = "the system may have run out of memory: try a smaller batch or network" if event["signal"] == 9 else ""
    return f"{stage} has ended the process that checks, by {how}; {cure or f'{str(log)!r} has what it printed'}"
