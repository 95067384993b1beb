"""Cells of a user's own files, planned and checked in this process."""

from pathlib import Path
from typing import Any

from lipbench.launch.listener import Listener
from lipbench.request.plan import plan
from lipbench.work.prepare import Ready, prepare
from tests.conftest import TINY

NETS = "from torch import nn\nfrom lipbench.nets.cnn_8 import Cnn8; small = Cnn8().make\n"


class Heard(Listener):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages: list[str] = []

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def checking(self, text: str) -> None:
        self.stages.append(text)


def checked(
    tmp_path: Path, methods: str = "gn", *, nets: str = "", data: str = "", heard: Listener | None = None, **more: Any
) -> Ready:
    """Check one tiny cell; `nets` and `data` are texts of the user's own files."""
    changed: dict[str, Any] = TINY | {key.replace("__", "."): value for key, value in more.items()}
    if nets:
        (tmp_path / "nets.py").write_text(NETS + nets)
        changed["architecture"] = f"{tmp_path / 'nets.py'}:make"
    if data:
        (tmp_path / "mydata.py").write_text(data)
    (planned,) = plan(methods, str(tmp_path / "mydata.py") if data else None, [0], "digits", changed)
    return prepare(planned, "cpu", tmp_path, heard or Heard(), measure=False)


def method_file(tmp_path: Path, hook: str) -> str:
    """The path of a method's file with one hook, a function on one line."""
    path = tmp_path / "mine.py"
    path.write_text(f'"""Mine."""\nimport torch\nfrom lipbench import Method\nclass Mine(Method):\n    {hook}\n')
    return str(path)
