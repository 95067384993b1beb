"""The plugin interface for launchers: where runs take place."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lipbench.interfaces.plugin import Plugin

if TYPE_CHECKING:
    from lipbench.launch.sweep import Sweep


@dataclass(frozen=True)
class Standing:
    """How a run stands that was launched and left.

    Attributes:
        queued: whether it will be worked on without anyone's doing.
        text: such as ``waits for its turn in job 12_3 (Priority)``, or why it is not queued any more.
        where: it is worked on, when it is, such as ``job 12_3 on node7``.
    """

    queued: bool
    text: str
    where: str = ""


class Launcher(Plugin):
    """Where runs take place. Annotated fields are parameters, set by name: ``slurm[partition=gpu]``.

    The run folder is the truth. A launcher makes it (`Sweep.make`), and starts a process that works there:
    ``python -m lipbench.work.run FOLDER`` goes on from whatever stands in the folder, and its exit code says how it
    ended (`lipbench.launch`). At SIGTERM it writes a checkpoint. No two processes work in one folder.
    """

    def launch(self, sweep: "Sweep") -> None:
        """Bring every run of the sweep to its end, or to where it is worked on without this process.

        Args:
            sweep: the runs; ``sweep.end`` and ``sweep.conclude`` note how each stands.

        Raises:
            RequestError: nothing can be launched; nothing was.
        """
        raise NotImplementedError

    def check(self, sweep: "Sweep") -> None:
        """Say what would be launched, and start nothing: for ``--dry-run``; arguments and errors as of `launch`."""

    def standing(self, results: Path) -> dict[str, Standing]:
        """Say how runs stand that were launched and left, by their ids.

        Args:
            results: the results folder.

        Raises:
            LipbenchError: nobody can say; the message tells why.
        """
        return {}
