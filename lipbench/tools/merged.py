"""What a merge does, or would do, with every run."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Outcome(StrEnum):
    """What a merge does with a copy of a run."""

    COPIED = "copied"
    PRESENT = "there already"
    REPLACED = "replaced"  # an unfinished attempt, which is set aside
    UNFINISHED = "unfinished"  # left out, as there is as much of the run or more
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Entry:
    """What a merge does with one copy of a run, or with yardsticks.

    Attributes:
        path: of the run folder, or the file, that is merged.
        outcome: what is done.
        reason: why it is left out, or what else a reader must know.
    """

    path: Path
    outcome: Outcome
    reason: str = ""


@dataclass
class Merged:
    """What a merge has done, or would do.

    Attributes:
        entries: a line a run of each folder, and a line for yardsticks that are left out.
        notes: what else a reader must know, in sentences.
    """

    entries: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """How many entries have this outcome."""
        return [entry.outcome for entry in self.entries].count(outcome)

    @property
    def complete(self) -> bool:
        """Whether nothing is left out that is damaged or being worked on."""
        return not self.count(Outcome.LEFT_OUT)
