"""What is shown while runs are under way."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lipbench.disk.store import RunFolder, Status
from lipbench.launch.listener import Forecast
from lipbench.request.plan import plan
from lipbench.screen.display import Display, display


@pytest.mark.parametrize("terminal", [True, False])
def test_every_run_leaves_one_line_whatever_the_screen(tmp_path: Path, terminal: bool) -> None:
    file = StringIO()
    planned = plan("gp[weight=1],gn", None, [0], "digits", {})
    console = Console(file=file, force_terminal=terminal, width=100, no_color=True)
    first, second = (cell.cell.run_id for cell in planned)
    folder = RunFolder(tmp_path / "runs" / first)
    folder.create("{}", {})
    folder.write_json("result.json", {"status": "done", "fid": 12.34, "seconds_train": 60.0, "seconds_evaluate": 5.0})
    with Display(console, tmp_path, planned) as display:
        display.placed(2, ["cuda:0", "cuda:1"])
        display.preparing()
        display.checking("gn on digits: trying [score] of gn")
        display.checked(Forecast(seconds=75.0, disk=3 * 2**20))
        display.started(first)
        display.stepped(first, 10)
        display.ended(first, Status.DONE, "")
        display.started(second)
        display.ended(second, Status.FAILED, "a [bracketed] reason")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())  # colours and cursor movements
    assert "about 1 min 15 s, 2 runs at a time on cuda:0, cuda:1, and 3 MiB of disk" in text
    assert f"[1/2] {first} done: FID 12.3 after 1 min 05 s" in text
    assert f"[2/2] {second} failed: a [bracketed] reason" in text


def test_names_with_brackets_are_shown_as_they_are_while_a_run_is_under_way(tmp_path: Path) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=200, no_color=True)
    planned = plan("gp", None, [0], "digits", {})
    with Display(console, tmp_path, planned) as display:
        display.estimate.steps["[/tmp] gp"] = display.estimate.made["[/tmp] gp"] = 1
        display.estimate.methods["[/tmp] gp"] = "gp"
        display.started("[/tmp] gp")
    assert "[/tmp] gp" in console.file.getvalue()


@pytest.mark.parametrize(
    ("terminal", "notebook", "shows"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_progress_is_shown_in_a_terminal_and_a_notebook_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool, notebook: bool, shows: bool
) -> None:
    shown: list[str] = []
    console = Console(file=StringIO(), force_terminal=terminal, force_jupyter=notebook)
    monkeypatch.setattr("lipbench.terminal.console", lambda: console)
    monkeypatch.setattr("rich.jupyter.display", lambda segments, text: shown.append(text))
    with display(tmp_path, plan("gn", None, [0], "digits", {})) as listener:
        listener.noted("[a] note")
    assert isinstance(listener, Display) == shows
    assert ("[a] note" in "".join(shown) + console.file.getvalue()) == shows
