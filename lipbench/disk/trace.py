"""The evaluations of a run, a line each, as they are made."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lipbench.disk.files import finite, read_bytes, write_atomically
from lipbench.errors import StoreError


@dataclass(frozen=True)
class Trace:
    """A file of evaluations.

    Attributes:
        path: of the file, which need not exist.
        run_id: the run that its lines name.
        check: called before each change of the file; raises where nothing may be written any more.
    """

    path: Path
    run_id: str
    check: Callable[[], None] = lambda: None

    def read(self) -> tuple[list[dict[str, Any]], str | None]:
        """The evaluations, and what is wrong with the file, if anything; damaged and foreign lines are left out.

        Raises:
            StoreError: the file cannot be read.
        """
        records: list[dict[str, Any]] = []
        problem = None
        for number, line in enumerate(self._content().decode(errors="replace").splitlines(), start=1):
            try:
                records.append(self._record(line, records[-1]["step"] if records else 0))
            except (ValueError, RecursionError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                problem = f"{self.run_id}: line {number} of trace.jsonl is damaged ({reason}) and left out"
        return records, problem

    def _record(self, line: str, after: int) -> dict[str, Any]:
        record = json.loads(line)
        if not (isinstance(record, dict) and type(record.get("step")) is int):
            raise ValueError("not an evaluation")
        if (named := record.pop("run_id", self.run_id)) != self.run_id:
            raise ValueError(f"of run {named}")
        if record["step"] <= after:
            raise ValueError(f"step {record['step']} after step {after}")
        return record

    def of_result(
        self, records: list[dict[str, Any]], problem: str | None, result: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """What `read` gave, if a finished run has made it; else nothing, and why."""
        made = result.get("trace")
        if made is None:  # an older run's
            last = records[-1]["step"] if records else 0
            if result.get("status") == "done" and last != result.get("step"):
                problem = problem or (
                    f"{self.run_id}: trace.jsonl ends at step {last}, and the run at step {result.get('step')}"
                )
            return records, problem
        if made == self.signature():
            return records, problem
        count = made.get("evaluations") if isinstance(made, dict) else None
        return [], (
            f"{self.run_id}: trace.jsonl is not what the run has written ({len(records)} evaluations of {count} can be "
            f"read, or they were changed): its curves are left out, its final numbers stand"
        )

    def signature(self) -> dict[str, Any]:
        """The number and the digest of its lines, by which a result or a checkpoint knows them."""
        content = self._content()
        return {"evaluations": content.count(b"\n"), "sha256": sha256(content).hexdigest()}

    def append(self, record: dict[str, Any]) -> None:
        """Add one evaluation and flush it to the disk."""
        self.check()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"run_id": self.run_id, **finite(record)}, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def clear(self) -> None:
        """Drop all evaluations: they will be made again."""
        if self._content():
            write_atomically(self.path, b"", self.check)

    def rewind(self, kept: dict[str, Any]) -> None:
        """Drop what was written after a checkpoint: it will be made again.

        Args:
            kept: the signature that the checkpoint holds.

        Raises:
            StoreError: the file does not begin with what the checkpoint knows; it is left as it is.
        """
        content = self._content()
        lines = content.splitlines(keepends=True)[: kept["evaluations"]]
        start = b"".join(lines)
        if sha256(start).hexdigest() != kept["sha256"]:
            raise StoreError(
                f"{str(self.path)!r} does not begin with the {kept['evaluations']} evaluations that the checkpoint "
                f"knows; `lipbench run … --retry-failed` sets both aside and starts the run over"
            )
        if start != content:
            write_atomically(self.path, start, self.check)

    def _content(self) -> bytes:
        try:
            return read_bytes(self.path)
        except FileNotFoundError:
            return b""
