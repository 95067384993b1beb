"""Cells of a user's own files, planned and checked in this process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipbench.disk.store import RunFolder
from lipbench.launch.listener import Forecast, Listener
from lipbench.request.plan import plan
from lipbench.work.prepare import prepare
from tests.conftest import TINY

NETS = "from torch import nn\nfrom lipbench.nets.cnn_8 import Cnn8; small = Cnn8().make\n"
PERCEPTRONS = "from torch import nn\nfrom lipbench.nets.mlp import Mlp; small = Mlp().make\n"
HALVES = """from torch import nn
from lipbench import Extractor
class Mean(nn.Module):
    def forward(self, pictures): return pictures.float().unflatten(2, (2, -1)).mean((3, 4)).flatten(1)
class Halves(Extractor):
    features = 2
    shape = (1, 8, 8)
    seconds_per_picture = 1e4
    def load(self): return Mean()
"""
SPOILT = """
def make(shape, latents):
    generator, critic = small(shape, latents)
    calls = []
    def spoil(grad):
        calls.append(1)
        return grad * float('nan') if len(calls) == 3 else grad
    {}.weight.register_hook(spoil)
    return generator, critic
"""


class Heard(Listener):
    """Remembers what was said."""

    forecast: Forecast

    def __init__(self) -> None:
        self.notes: list[str] = []

    def noted(self, text: str) -> None:
        self.notes.append(text)

    def fits(self, forecast: Forecast, facts: Mapping[str, Any]) -> None:
        self.forecast = forecast


def checked(tmp_path: Path, methods: str = "gn", *, nets: str = "", data: str = "", **more: Any) -> Heard:
    """Check one tiny cell, and give what was heard; `nets` and `data` are texts of the user's own files."""
    changed: dict[str, Any] = TINY | {key.replace("__", "."): value for key, value in more.items()}
    if nets:
        changed["architecture"] = nets_file(tmp_path, nets)
    if data:
        (tmp_path / "mydata.py").write_text(data)
    (planned,) = plan(methods, str(tmp_path / "mydata.py") if data else None, [0], "digits", changed)
    heard = Heard()
    prepare(planned, "cpu", tmp_path, heard, measure=False)
    return heard


def nets_file(tmp_path: Path, text: str, head: str = NETS) -> str:
    """The name of an architecture, the function `make` in a user's own file; `small` makes that of a protocol."""
    path = tmp_path / "nets.py"
    path.write_text(head + text)
    return f"{path}:make"


def method_file(tmp_path: Path, hook: str) -> str:
    """The path of a method's file with one hook, a function on one line."""
    path = tmp_path / "mine.py"
    path.write_text(f'"""Mine."""\nimport torch\nfrom lipbench import Method\nclass Mine(Method):\n    {hook}\n')
    return str(path)


def result(folder: RunFolder) -> dict[str, Any]:
    """What came of a run that is finished."""
    found = folder.result()
    assert found is not None, folder.read_json("error.json")
    return found


def error(folder: RunFolder) -> dict[str, Any]:
    """Why a run failed or diverged."""
    found = folder.read_json("error.json")
    assert found is not None
    return found
