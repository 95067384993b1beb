"""What is heard of a request under way, by a display or by a notebook."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lipbench.disk.store import Status


@dataclass(frozen=True)
class Forecast:
    """What a request will take, from one step of each sort of run on this machine.

    Attributes:
        seconds: until its last run ends, the search for secants at the end of each run aside.
        disk: bytes of the run folders.
    """

    seconds: float
    disk: int


def duration(seconds: float | None) -> str:
    """Seconds for people: ``8 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds is None:
        return "…"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Listener:
    """What a progress display is told; this one shows nothing."""

    def placed(self, jobs: int, devices: Sequence[str]) -> None:
        """It is known how many runs go at a time, and on which devices."""

    def preparing(self) -> None:
        """Everything is being checked."""

    def checking(self, text: str) -> None:
        """What is done before the first run begins, such as ``trying score of gn``."""

    def made(self, networks: Mapping[str, Any]) -> None:
        """A cell was built: the shape of its points, and the numbers of its networks' parameters."""

    def fits(self, forecast: Forecast, facts: Mapping[str, Any]) -> None:
        """A cell fits together: what one run of its sort takes, and what its result will say of it."""

    def checked(self, forecast: Forecast) -> None:
        """Everything fits together; runs can begin."""

    def noted(self, text: str) -> None:
        """Something that a reader of the numbers must know."""

    def started(self, run: str) -> None:
        """A run has begun."""

    def stepped(self, run: str, step: int) -> None:
        """A run has made `step` steps in all."""

    def stopping(self, signum: int, running: int) -> None:
        """A signal has come: no run begins any more, and those under way write their checkpoints."""

    def ended(self, run: str, status: Status, message: str) -> None:
        """A run has come to an end for now."""


def quiet(listener: Listener) -> Listener:
    """A listener that tells another of runs, and goes on where that one has nowhere to write any more."""

    def quietly(tell: Callable[..., None]) -> Callable[..., None]:
        def told(*given: Any) -> None:
            with suppress(OSError, SystemExit):
                tell(*given)

        return told

    made = Listener()
    for name in ("noted", "stepped", "stopping", "ended"):
        setattr(made, name, quietly(getattr(listener, name)))
    return made
