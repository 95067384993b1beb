"""The launcher's side of what comes before the first run: one cell of each sort is built, checked and rehearsed."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, Signals
from tempfile import TemporaryDirectory
from typing import Any

from lipbench.disk.files import read_text
from lipbench.errors import RequestError, StoreError
from lipbench.launch.connection import Connection, connect
from lipbench.launch.listener import Forecast, Listener
from lipbench.request.cell import Cell
from lipbench.request.plan import Planned

MEMORY = "the system may have run out of memory: try a smaller batch or network"


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
    prepared, refusal = False, ""
    while True:
        for event in server.events(patience=1.0 if timeout is None else min(1.0, timeout)):
            if event["event"] == "checking":
                stage, since = str(event["text"]), time.monotonic()
                listener.checking(stage)
            elif event["event"] == "noted" and event["text"] not in noted:
                noted.add(event["text"])
                listener.noted(event["text"])
            elif event["event"] == "made":
                listener.made(event["networks"])
            elif event["event"] == "fits":
                found.append(Forecast(event["seconds"], event["disk"]))
                listener.fits(found[-1], event["facts"])
            elif event["event"] == "refused":
                refusal = event["message"]
            elif event["event"] == "prepared":
                prepared = True
            elif event["event"] == "exit":  # all has been heard, and another check can follow
                if refusal or not prepared:
                    raise RequestError(refusal or _ended(event, stage, log))
                forecast = _together(found, [len(cells) for cells in sorts.values()], jobs)
                listener.checked(forecast)
                return forecast
        if timeout is not None and since is not None and time.monotonic() - since > timeout and not refusal:
            server.send({"kill": ""})
            refusal = (
                f"{stage} takes longer than {timeout:g} s; expected each stage of the checks to end in that time: give "
                f"a longer --timeout, or see whether something there never ends"
            )


def _together(each: Sequence[Forecast], counts: Sequence[int], jobs: int) -> Forecast:
    seconds = sum(count * one.seconds for one, count in zip(each, counts, strict=True))
    disk = sum(count * one.disk for one, count in zip(each, counts, strict=True))
    return Forecast(seconds / max(1, min(jobs, sum(counts))), disk)


def _ended(event: dict[str, Any], stage: str, log: Path) -> str:
    """What crashed, and the last that is known of it; the log says so, too."""
    signal = event["signal"]
    how = f"signal {signal} ({Signals(signal).name})" if signal in set(Signals) else f"exit code {event['code']}"
    said = f"{stage} has ended the process that checks, by {how}; "
    try:
        printed = [line.strip() for line in read_text(log).splitlines() if line.strip()]
    except (OSError, StoreError):
        printed = []
    # What Python's fault handler prints begins with the fault, and the innermost line is the first after it.
    fatal = next((number for number, line in enumerate(printed) if line.startswith("Fatal Python error")), None)
    if signal == SIGKILL:
        said += MEMORY
    elif fatal is not None:
        place = next((line for line in printed[fatal:] if line.startswith("File ")), "")
        said += f"{printed[fatal]} {place}".rstrip()
    elif printed:
        said += f"the last that it printed: {printed[-1]}"
    else:
        said += "it printed nothing: expected code that neither calls os._exit nor crashes"
    with suppress(OSError), log.open("a", encoding="utf-8") as file:
        file.write(f"{said}\n")
    return said


@dataclass
class Verdict:
    """What the checks say of one method on one data set.

    Attributes:
        cell: what was checked.
        refusal: why it cannot be run; empty where it can.
        facts: the shape of a point and the numbers of parameters, as soon as there are networks; where it is accepted
            all that a result says of what was built: engine, engine_reason, guarantee and more.
        forecast: what one run takes; None where it is refused.
        notes: what a reader of the numbers must know.
    """

    cell: Cell
    refusal: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    forecast: Forecast | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether it can be run."""
        return not self.refusal


def check_each(planned: Sequence[Planned], *, device: str, timeout: float | None, listener: Listener) -> list[Verdict]:
    """Check every cell by itself, so that one that is refused hides no other; nothing is kept.

    Args:
        planned: the cells.
        device: ``auto``, ``cpu``, ``cuda``, …
        timeout: seconds for each stage, or None.
        listener: is told the stages.

    Raises:
        LipbenchError: the process that checks cannot be started.
    """
    found = []
    with TemporaryDirectory(prefix="lipbench-") as work, connect(Path(work), device, []) as server:
        for number, item in enumerate(planned):
            hearing = _Hearing(Verdict(item.cell), listener)
            log = Path(work, f"{number}.log")
            try:
                check(server, [item], jobs=1, timeout=timeout, log=log, measure=False, listener=hearing)
            except RequestError as error:
                hearing.verdict.refusal = str(error)
            found.append(hearing.verdict)
    return found


class _Hearing(Listener):
    """Keeps what is heard of one cell, and passes the stages on."""

    def __init__(self, verdict: Verdict, listener: Listener) -> None:
        self.verdict, self.checking = verdict, listener.checking  # type: ignore[method-assign]  # passed on as it is

    def made(self, networks: Mapping[str, Any]) -> None:
        self.verdict.facts |= networks

    def fits(self, forecast: Forecast, facts: Mapping[str, Any]) -> None:
        self.verdict.facts |= facts
        self.verdict.forecast = forecast

    def noted(self, text: str) -> None:
        self.verdict.notes.append(text)
