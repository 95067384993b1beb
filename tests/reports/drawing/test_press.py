"""Figures written by several processes."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from lipbench.errors import StoreError
from lipbench.reports.drawing import press, style


def drawing(number: int) -> style.Drawing:
    with style.style():
        drawn = Figure()
        axes = drawn.subplots()
        axes.plot([1, number + 2], [1, 100])
        style.plain_log(axes.yaxis)
    return style.Drawing(drawn, "A line.", pd.DataFrame({"x": [1, number + 2], "y": [1, 100]}))


def written(folder: Path, helpers: int) -> dict[str, bytes]:
    folder.mkdir()
    with press.press(helpers) as send:
        for number in range(6):
            send(drawing(number), folder / f"figure-{number}")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_helpers_write_the_same_bytes(tmp_path: Path) -> None:
    alone = written(tmp_path / "alone", 0)
    assert len(alone) == 24
    assert written(tmp_path / "helped", 1) == alone


def test_helpers_run_no_file_of_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("open('run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "figures", 1)
    assert not (tmp_path / "run").exists()


def test_helpers_that_cannot_start_are_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    assert len(written(tmp_path / "figures", 2)) == 24


def test_helpers_that_die_are_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert len(written(tmp_path / "figures", 2)) == 24


@pytest.mark.parametrize("helpers", [0, 1])
def test_a_file_that_cannot_be_written_is_an_error_of_this_process(tmp_path: Path, helpers: int) -> None:
    with pytest.raises(StoreError, match="cannot be written"), press.press(helpers) as send:
        send(drawing(0), tmp_path / "nowhere" / "figure")


def test_an_error_while_drawing_ends_the_helpers() -> None:
    with pytest.raises(ZeroDivisionError), press.press(1) as send:
        send(drawing(0), Path("never/written"))
        raise ZeroDivisionError


def test_a_report_knows_nothing_of_torch() -> None:
    command = "import sys, lipbench.reports.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
