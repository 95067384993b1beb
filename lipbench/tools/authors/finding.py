"""What a check finds; without torch, so that whoever shows it needs none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_APPLICABLE: Final = "not applicable"
Outcome = Literal["passed", "failed", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """What one check says of a method.

    Attributes:
        check: its name.
        outcome: whether the method keeps what is checked.
        seen: what was observed, or why the check does not apply.
        cure: what mends it, where it failed.
        numbers: what was measured, by name; None where there is no number.
    """

    check: str
    outcome: Outcome
    seen: str
    cure: str = ""
    numbers: Mapping[str, float | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.check}: {self.outcome}: {self.seen}" + (f"; {self.cure}" if self.cure else "")


@dataclass(frozen=True)
class Examined:
    """All that was found of one method.

    Attributes:
        method: its name.
        architecture: on which it was checked.
        protocol: by whose settings.
        dataset: with whose pictures.
        findings: one a check, in their order.
        seconds: that they took.
        note: why it was not checked on the protocol's own networks; empty where it was.
    """

    method: str
    architecture: str
    protocol: str
    dataset: str
    findings: Sequence[Finding]
    seconds: float
    note: str = ""

    @property
    def failed(self) -> list[Finding]:
        """Those that failed."""
        return [finding for finding in self.findings if finding.outcome == FAILED]


class Failed(Exception):  # noqa: N818 - an outcome of a check, not a fault
    """The method does not keep what is checked.

    Args:
        seen: what was observed.
        cure: what mends it.
        numbers: what was measured.
    """

    def __init__(self, seen: str, cure: str, numbers: Mapping[str, float | None] | None = None) -> None:
        super().__init__(seen)
        self.seen, self.cure, self.numbers = seen, cure, numbers or {}


class NotApplicable(Exception):  # noqa: N818 - an outcome of a check, not a fault
    """There is nothing of the method to check; the text says why."""
