"""What is shown while runs are under way."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lipbench.plan import plan
from lipbench.runner.display import Display
from lipbench.runner.listener import Forecast
from lipbench.store import RunFolder, Status


@pytest.mark.parametrize("terminal", [True, False])
def test_every_run_leaves_one_line_whatever_the_screen(tmp_path: Path, terminal: bool) -> None:
    file = StringIO()
    planned = plan("gp[weight=1],gn", None, [0], "digits", {})
    console = Console(file=file, force_terminal=terminal, width=100, no_color=True)
    first, second = (cell.cell.run_id for cell in planned)
    folder = RunFolder(tmp_path / "runs" / first)
    folder.create("{}", {})
    folder.write_json("result.json", {"status": "done", "fid": 12.34, "seconds_train": 60.0, "seconds_evaluate": 5.0})
    with Display(console, tmp_path, planned, jobs=2) as display:
        display.preparing()
        display.checking("gn on digits: trying [score] of gn")
        display.checked(Forecast(seconds=75.0, disk=3 * 2**20))
        display.started(first)
        display.stepped(first, 10)
        display.ended(first, Status.DONE, "")
        display.started(second)
        display.ended(second, Status.FAILED, "a [bracketed] reason")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())  # colours and cursor movements
    assert "about 1 min 15 s, 2 runs at a time, and 3 MiB of disk" in text
    assert f"[1/2] {first} done: FID 12.3 after 1 min 05 s" in text
    assert f"[2/2] {second} failed: a [bracketed] reason" in text
