"""Shows a sweep under way: live bars on a terminal, a line a run elsewhere."""

import signal
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from lipbench import terminal
from lipbench.disk.store import RunFolder, Status
from lipbench.launch.listener import Forecast, Listener, duration
from lipbench.request.plan import Planned
from lipbench.screen.estimate import Estimate

STYLES = {
    Status.DONE: "green",
    Status.DIVERGED: "yellow",
    Status.FAILED: "red",
    Status.RUNNING: "cyan",
    Status.QUEUED: "blue",
    Status.INTERRUPTED: "magenta",
}

SILENCE_SECONDS = 20.0  # off a terminal, between two lines on what is checked


def display(results: Path, planned: Sequence[Planned]) -> AbstractContextManager[Listener]:
    """What shows a sweep where somebody watches, in a terminal or a notebook, and elsewhere nothing."""
    console = terminal.console()
    watched = console.is_terminal or console.is_jupyter
    return Display(console, results, planned) if watched else nullcontext(Listener())


class Display(Listener):
    """Writes to a console.

    Args:
        console: where to.
        results: the results folder, from which a finished run's numbers are read.
        planned: the cells to come.
    """

    def __init__(self, console: Console, results: Path, planned: Sequence[Planned]) -> None:
        cells = {cell.cell.run_id: cell.cell for cell in planned}
        self.console, self.results, self.total = console, results, len(cells)
        self.estimate = Estimate(
            methods={run: cell.method for run, cell in cells.items()},
            steps={run: cell.protocol.train.steps for run, cell in cells.items()},
        )
        self._where = ""
        self.ended_runs = 0
        self._said = time.monotonic()
        self._width = len(str(self.total))
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            disable=not (console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)),
        )
        self._whole = self._progress.add_task("all runs", total=1.0, note="")

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError, SystemExit):  # the terminal may be gone
            self._progress.stop()

    def placed(self, jobs: int, devices: Sequence[str]) -> None:
        """Count on it."""
        self.estimate.jobs = jobs
        spread = f" on {', '.join(devices)}" * (len(devices) > 1)
        self._where = f"{jobs} run{'s' * (jobs != 1)} at a time{spread}"

    def preparing(self) -> None:
        """Loading torch and checking takes seconds in which nothing else could be seen."""
        self.console.print(f"checking {self.total} run{'s' * (self.total != 1)} before the first begins …", style="dim")

    def checking(self, text: str) -> None:
        """Show it on a terminal; elsewhere now and then, where it takes long."""
        self._progress.update(self._whole, description="checking", note=text)
        if not self.console.is_terminal and time.monotonic() - self._said > SILENCE_SECONDS:
            self.console.print(Text(text, "dim"), soft_wrap=True)
            self._said = time.monotonic()

    def checked(self, forecast: Forecast) -> None:
        """Say what it will take."""
        self._progress.update(self._whole, description="all runs", note="")
        text = (
            f"about {duration(forecast.seconds)}, {self._where}, and "
            f"{forecast.disk / 2**20:,.0f} MiB of disk (the search for secants at the end of each run not counted)"
        )
        self.console.print(Text(text, "dim"), soft_wrap=True)

    def noted(self, text: str) -> None:
        """Say it once, before the runs."""
        self.console.print(Text(f"Note: {text}", "yellow"), soft_wrap=True)

    def started(self, run: str) -> None:
        """Add a bar."""
        self._bars[run] = self._progress.add_task(run, total=self.estimate.steps[run], note="")

    def stepped(self, run: str, step: int) -> None:
        """Move a bar."""
        self.estimate.stepped(run, step)
        if run in self._bars:
            self._progress.update(self._bars[run], completed=step, note=f"step {step} of {self.estimate.steps[run]}")
        self._refresh()

    def stopping(self, signum: int, running: int) -> None:
        """Say what is waited for, and how not to."""
        runs = f"{running} run{'s write their checkpoints' if running != 1 else ' writes its checkpoint'}"
        text = f"{signal.Signals(signum).name}: {runs} … (again to end at once)"
        self.console.print(Text(text, "magenta"), soft_wrap=True)

    def ended(self, run: str, status: Status, message: str) -> None:
        """Replace the bar by a line that stays."""
        self.estimate.finished(run)
        self.ended_runs += 1
        if run in self._bars:
            self._progress.remove_task(self._bars.pop(run))
        left = duration(self.estimate.seconds_left)
        note = self._numbers(run) if status is Status.DONE else message
        tail = f", {left} left" if self.ended_runs < self.total and status is not Status.INTERRUPTED else ""
        line = Text(f"[{self.ended_runs:>{self._width}}/{self.total}] {run} ")
        line.append(str(status), STYLES[status]).append(f": {note}{tail}")
        self.console.print(line, soft_wrap=True)
        self._refresh()

    def _refresh(self) -> None:
        note = f"{self.ended_runs} of {self.total} ended, {duration(self.estimate.seconds_left)} left"
        self._progress.update(self._whole, completed=self.estimate.fraction, note=note)

    def _numbers(self, run: str) -> str:
        result = RunFolder(self.results / "runs" / run).read_json("result.json") or {}
        seconds = duration(float(result.get("seconds_train", 0)) + float(result.get("seconds_evaluate", 0)))
        return f"FID {result['fid']:.1f} after {seconds}" if result.get("fid") is not None else seconds
