"""How the runs of one request stand."""

from dataclasses import dataclass, field

from lipbench.disk.store import Status


@dataclass
class Summary:
    """How the cells of one request stand at the end.

    Attributes:
        statuses: by run id, in the order of the plan.
        skipped: runs that were finished before.
        reasons: why a run failed or diverged.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def count(self, status: Status) -> int:
        """How many runs have this status."""
        return list(self.statuses.values()).count(status)

    @property
    def complete(self) -> bool:
        """Whether every run is finished, be it as diverged."""
        return all(status in (Status.DONE, Status.DIVERGED) for status in self.statuses.values())

    @property
    def standing(self) -> str:
        """What a signal has left, in words."""
        waiting, total = self.count(Status.INTERRUPTED), len(self.statuses)
        return (
            f"{waiting} of {total} runs wait, those that had begun at their checkpoints, and {total - waiting} have "
            f"ended. The same command goes on from here"
        )
