"""The runs of one request and how they stand: all that a launcher needs, wherever it starts them. Without torch."""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from signal import SIGHUP, SIGPIPE

from lipbench.disk.store import RunFolder, Status
from lipbench.errors import StoreError
from lipbench.launch.listener import Listener, quiet
from lipbench.launch.outcome import Summary, conclude, record_signal
from lipbench.request import cell as cells
from lipbench.request.plan import Planned

LOOK_SECONDS = 0.5  # between two looks at runs on which another process works


def planned_in(folder: RunFolder) -> Planned:
    """The cell of a run folder that is made already.

    Raises:
        StoreError: it is no run folder, or is damaged.
        PluginError: a copy of a user's own file is missing, or was changed.
    """
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    planned = Planned(cell, {name: folder.file(name) for name in cell.copies})
    planned.contents()
    return planned


class Sweep:
    """The runs of one request. What is finished already is left out, and nothing is written before a run begins.

    Args:
        results: the results folder.
        planned: the cells.
        jobs: how many at a time; None for as many as the launcher thinks right.
        device: for all of them: ``auto``, ``cpu``, ``cuda``, …
        timeout: seconds after which a run is stopped, or None.
        retry_failed: whether failed and diverged runs are set aside and started over.
        over: how runs have ended that are to be started over, by their ids; those that have ended otherwise are not.
        argv: the command line to record.
        listener: is told what happens.

    Attributes:
        planned: the cells by their run ids.
        contents: the user's own files that each copies, by the names of their copies; by their ids.
        folders: the run folders by their ids.
        waiting: the ids of runs that are to be started, in order.
        elsewhere: the ids of runs on which another process works, and what is known of it.
        over: how each run that is to be set aside, when it begins, has ended; by their ids.
        steps: how far each run is, by their ids, as far as is known.
        summary: how every run stands.
    """

    def __init__(
        self,
        results: Path,
        planned: Sequence[Planned],
        *,
        jobs: int | None = None,
        device: str = "auto",
        timeout: float | None = None,
        retry_failed: bool = False,
        over: Mapping[str, str] | None = None,
        argv: Sequence[str] = (),
        listener: Listener | None = None,
    ) -> None:
        self.results, self.jobs, self.device, self.timeout, self.argv = results, jobs, device, timeout, list(argv)
        self.listener = listener or Listener()
        self.summary = Summary()
        self.planned = {each.cell.run_id: each for each in planned}
        self.folders = {name: RunFolder(results / "runs" / name) for name in self.planned}
        self.waiting: deque[str] = deque()
        self.elsewhere: dict[str, str] = {}
        self.over: dict[str, str] = {}
        self.steps: dict[str, int] = {}
        # Read now: what is edited during the sweep changes nothing of it.
        self.contents = {name: each.contents() for name, each in self.planned.items()}
        for name, folder in self.folders.items():
            self._sort(name, folder, retry_failed)
            if (ended := (over or {}).get(name)) is not None and folder.attempt() == ended:
                self._start_over(name, ended)

    def _sort(self, name: str, folder: RunFolder, retry_failed: bool) -> None:
        """Skip what is finished, leave what is damaged, and let the rest wait."""
        self.summary.statuses[name] = Status.INTERRUPTED
        try:
            status = folder.status() if folder.path.exists() else Status.INTERRUPTED
        except StoreError as damaged:
            status = Status.FAILED
            if not retry_failed:
                self.summary.statuses[name] = status
                self.summary.reasons[name] = str(damaged)
                return
        if status in (Status.DONE, Status.DIVERGED):
            self.summary.skipped.append(name)
            self.summary.statuses[name] = status
        else:
            self.waiting.append(name)
        if retry_failed and status in (Status.FAILED, Status.DIVERGED):
            self._start_over(name, folder.attempt())

    def _start_over(self, name: str, ended: str) -> None:
        """Have a run set aside when it begins, not before everything was checked."""
        self.over[name] = ended
        if name in self.summary.skipped:
            self.summary.skipped.remove(name)
            self.summary.statuses[name] = Status.INTERRUPTED
            self.waiting.append(name)

    def make(self, name: str, held: ExitStack | None = None, *, start_over: bool = True) -> bool:
        """Make the folder of a run, so that a process can begin to work there.

        Args:
            name: its id.
            held: holds the claim on the folder from now on, for a launcher that writes there itself.
            start_over: whether to set its last attempt aside, if that was asked for.

        Returns:
            Whether it can begin; else another process works on it, or it has failed.
        """
        folder = self.folders[name]
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            with ExitStack() as claim:
                if not claim.enter_context(folder.claimed()):
                    self.elsewhere[name] = str(folder.holder() or "another process")
                    return False
                # Another launcher may have started it over, and finished it, since it was looked at.
                if start_over and self.over.pop(name, None) == folder.attempt():
                    folder.set_aside()
                folder.create(self.planned[name].cell.to_json(), self.contents[name])
                if held is not None:
                    held.enter_context(claim.pop_all())
        except (OSError, StoreError) as error:
            self.end(name, Status.FAILED, str(error))
            return False
        return True

    def conclude(self, name: str, number: int = 0, timeout: float | None = None) -> None:
        """Read what has come of a run, and tell it.

        Args:
            name: its id.
            number: the signal that has ended its process, if one has.
            timeout: the seconds after which it was stopped, where that was the reason.
        """
        folder = self.folders[name]
        try:
            if number:
                record_signal(folder, number, timeout)
        except (OSError, StoreError) as error:  # a full disk or a damaged file of one run must not end the others
            self.end(name, Status.FAILED, str(error))
        else:
            self.end(name, *conclude(folder))

    def stepped(self, name: str, step: int) -> bool:
        """Note how far a run is, and tell it; gives whether it has advanced since that was noted."""
        advanced = step > self.steps.get(name, step)
        self.steps[name] = step
        self.listener.stepped(name, step)
        return advanced

    def stop(self, number: int, running: int) -> None:
        """Let no run begin any more, and tell it.

        Args:
            number: of the signal that asks for it.
            running: how many runs write their checkpoints.
        """
        self.waiting.clear()
        if number in (SIGHUP, SIGPIPE):  # the terminal may be gone
            self.listener = quiet(self.listener)
        self.listener.stopping(number, running)

    def stopped(self, name: str) -> None:
        """A run has written its checkpoint because a signal asked for it."""
        at = f"at step {self.steps[name]:,}" if name in self.steps else "before its first step"
        self.end(name, Status.INTERRUPTED, f"stopped {at}; it goes on from there when run again")

    def end(self, name: str, status: Status, message: str) -> None:
        """Note how a run stands for now, and tell it."""
        self.summary.statuses[name] = status
        if status is not Status.DONE:
            self.summary.reasons[name] = message
        self.listener.ended(name, status, message)

    def look_elsewhere(self, *, patient: bool = True) -> None:
        """Take back runs that another process has let go of, and note those that it has finished.

        Args:
            patient: whether to go on waiting for processes that are known to live.
        """
        for name in list(self.elsewhere):
            folder = self.folders[name]
            try:
                finished, holder = folder.result() is not None, folder.holder()
            except StoreError as damaged:
                del self.elsewhere[name]
                self.end(name, Status.FAILED, str(damaged))
                continue
            if not finished and holder is not None and (patient or not holder.seen):
                continue
            del self.elsewhere[name]
            if finished:
                self.conclude(name)
            elif holder is None:
                self.waiting.append(name)
            else:
                self.end(name, Status.RUNNING, f"{holder} works on it")
