"""What a merge has done."""

import shlex
from pathlib import Path

from rich.console import Console

from lipbench.screen.lines import print_line
from lipbench.tools.merged import Merged, Outcome

STYLES = {Outcome.REPLACED: "cyan", Outcome.UNFINISHED: "dim", Outcome.LEFT_OUT: "yellow"}


def show_merged(console: Console, merged: Merged, into: Path, *, dry_run: bool) -> None:
    """A line for whatever was not simply copied or there already, and how many runs of each kind there are."""
    for entry in merged.entries:
        if entry.reason:
            print_line(console, f"{entry.outcome}: {entry.path}: {entry.reason}", STYLES[entry.outcome])
    for note in merged.notes:
        print_line(console, f"Note: {note}", "yellow")
    counts = [f"{merged.count(outcome)} {outcome}" for outcome in Outcome if merged.count(outcome)]
    print_line(
        console, f"{'would be merged' if dry_run else 'merged'} into {into}: {', '.join(counts) or 'no runs'}", "bold"
    )
    if dry_run:
        print_line(console, "Nothing was copied (--dry-run)")
        return
    if not any(merged.count(outcome) for outcome in (Outcome.COPIED, Outcome.REPLACED, Outcome.PRESENT)):
        return
    option = "" if str(into) == "results" else f" --results {shlex.quote(str(into))}"
    print_line(console, f"Next: lipbench report{option}")
