"""How the runs of a report were made."""

import json
import shlex
from pathlib import Path

import pytest

from lipbench.disk.store import RunFolder
from lipbench.reports.reading.provenance import NO_COMMAND, provenance


def commands(tmp_path: Path, argv: list[str]) -> list[str]:
    (tmp_path / "environment.json").write_text(json.dumps({"argv": argv}))
    found, _, problems = provenance([RunFolder(tmp_path)])
    assert problems == []
    return found


def test_a_command_can_be_given_again(tmp_path: Path) -> None:
    argv = ["lipbench", "run", "--methods", "gp[weight=1,10],./my file.py", "--set", "a=$b"]
    (command,) = commands(tmp_path, argv)
    assert shlex.split(command) == argv
    assert "'gp[weight=1,10],./my file.py'" in command


@pytest.mark.parametrize("argv", [[], ["ipykernel_launcher.py", "-f", "/home/me/.local/kernel-1.json"]])
def test_what_serves_a_notebook_is_no_command(argv: list[str], tmp_path: Path) -> None:
    assert commands(tmp_path, argv) == [NO_COMMAND]
