"""The command that is recorded beside a run."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from lipbench.launch.connection import command_line


@pytest.mark.parametrize(
    ("file", "module", "argv", "recorded"),
    [
        ("/home/a/.venv/bin/lipbench", None, ["run", "--methods", "gn,sn"], ["lipbench", "run", "--methods", "gn,sn"]),
        ("/home/a/train all.py", None, ["--seeds", "3"], ["python", "train all.py", "--seeds", "3"]),
        ("/lib/lipbench/__main__.py", "lipbench.__main__", ["run"], ["python", "-m", "lipbench", "run"]),
        ("/home/a/mine/go.py", "mine.go", [], ["python", "-m", "mine.go"]),
    ],
)
def test_it_is_what_was_typed_without_the_folders_of_the_machine(
    file: str, module: str | None, argv: list[str], recorded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main = ModuleType("__main__")
    main.__file__ = file
    main.__spec__ = ModuleSpec(module, None) if module else None
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", [file, *argv])
    assert command_line() == recorded


@pytest.mark.parametrize(
    "argv",
    [
        ["/lib/ipykernel_launcher.py", "-f", "/home/me/.local/share/jupyter/runtime/kernel-1.json"],
        ["/lib/colab_kernel_launcher.py", "-f", "/home/me/x.json"],
        ["/usr/bin/ipython", "--profile=mine"],
        ["-c"],
        [""],
        [],
    ],
)
def test_where_nobody_typed_a_command_nothing_is_recorded(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setattr(sys, "argv", argv)
    assert command_line() == []
