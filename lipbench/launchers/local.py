"""This machine: several runs at a time, each in a process of its own, spread over its GPUs."""

from lipbench.interfaces.launcher import Launcher
from lipbench.launch.local import Local as Work
from lipbench.launch.sweep import Sweep


class Local(Launcher):
    """See above."""

    def launch(self, sweep: Sweep) -> None:
        """See `Launcher.launch`."""
        Work(sweep).run()

    def check(self, sweep: Sweep) -> None:
        """See `Launcher.check`: one run of each sort is built and rehearsed."""
        Work(sweep).check()
