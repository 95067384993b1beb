"""Importing a user's file with the modules of the user's own that it needs."""

import io
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lipbench.errors import PluginError
from lipbench.plugins import own
from lipbench.plugins.importing import import_file
from tests.plugins.test_own import write


def imported(path: Path) -> Any:
    return import_file(path, own.modules(path))


BLOCKS = """from dataclasses import dataclass
from torch import nn
@dataclass
class Settings:
    width: int = {}
class Block(nn.Linear):
    def __init__(self):
        super().__init__(Settings().width, 1)
"""


@pytest.mark.parametrize(
    "text",
    [
        "from blocks import Block\n",
        "import blocks\nBlock = blocks.Block\n",
        "import blocks as b\nBlock = b.Block\n",
        "from .blocks import Block\n",
        "from . import blocks\nBlock = blocks.Block\n",
        "from blocks import *\n",
        "from a.b import Block\n",
        "import a.b\nBlock = a.b.Block\n",
        "import a.b as c\nBlock = c.Block\n",
        "from a import b\nBlock = b.Block\n",
        "from space.deep import Block\n",
        "def find():\n    from blocks import Block\n    return Block\nBlock = find()\n",
        "try:\n    from .nowhere import Block\nexcept ImportError:\n    from blocks import Block\n",
        "try:\n    from ..blocks import Block\nexcept ImportError:\n    from blocks import Block\n",
        "from one import blocks\nBlock = blocks.Block\n",
    ],
)
def test_every_form_of_import_finds_the_very_same_module(tmp_path: Path, text: str) -> None:
    more = {
        "a__init": "",
        "a__b": "from ..blocks import Block\n",
        "space__deep": "from blocks import Block\n",
        "one": "import two\nimport blocks\n",
        "two": "import one\n",  # in a circle
    }
    module = imported(
        write(tmp_path, nets=f"{text}from blocks import Block as Same\n", blocks=BLOCKS.format(3), **more)
    )
    assert module.Block is module.Same
    assert module.Block().in_features == 3
    assert not {"blocks", "a", "a.b", "space", "one", "two"} & set(sys.modules)


def test_two_files_with_different_modules_of_one_name_never_see_each_others(tmp_path: Path) -> None:
    text = "def make():\n    from blocks import Block\n    return Block()\n"
    made = [imported(write(tmp_path / f"{width}", nets=text, blocks=BLOCKS.format(width))) for width in (3, 4)]
    assert [each.make().in_features for each in made] == [3, 4]


def test_a_module_that_was_edited_is_imported_anew_and_one_that_was_not_is_not(tmp_path: Path) -> None:
    made = []
    for width in (3, 4, 4):  # of one size, and within a second
        made.append(imported(write(tmp_path, nets="from blocks import Block\n", blocks=BLOCKS.format(width))))
    assert [each.Block().in_features for each in made] == [3, 4, 4]
    assert made[1] is made[2]
    assert {path.name for path in tmp_path.iterdir()} == {"nets.py", "blocks.py"}  # and nothing is left beside it


def test_its_objects_can_be_saved_and_copied(tmp_path: Path) -> None:
    module = imported(write(tmp_path, nets="from blocks import Block, Settings\n", blocks=BLOCKS.format(3)))
    assert pickle.loads(pickle.dumps(module.Settings(5))) == module.Settings(5)
    saved = io.BytesIO()
    torch.save(module.Block(), saved)
    saved.seek(0)
    assert isinstance(torch.load(saved, weights_only=False), module.Block)


def test_an_import_in_a_function_does_not_need_the_files_any_more(tmp_path: Path) -> None:
    path = write(tmp_path / "gone", nets="def make():\n    import blocks\n    return blocks.Block()\n")
    module = imported(write(path.parent, nets=path.read_text(), blocks=BLOCKS.format(3)))
    shutil.rmtree(path.parent)
    assert module.make().in_features == 3


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {"nets": "import blocks\n", "blocks": "\n\n1 / 0\n"},
            r"nets.py' does not import: .*\(.*blocks.py, line 3\)\.$",
        ),
        (
            {"nets": "from blocks import Clock\n", "blocks": "class Block: ...\n"},
            r"ImportError: cannot import name 'Clock' from 'blocks' \(.*blocks.py\) \(.*nets.py, line 1\)\. Modules of",
        ),
        ({"nets": "from .blocks import Block\n"}, r"No module named 'blocks' \(.*nets.py, line 1\).*beside the file"),
        ({"nets": "from . import blocks\n"}, r"cannot import name 'blocks' from '\.' \(.*nets.py\)"),
        ({"nets": "import one\n", "one": "import nowhere\n"}, r"No module named 'nowhere' \(.*one.py, line 1\)"),
        ({"nets": "\nfrom ..up import x\n"}, r"relative import beyond top-level package \(.*line 2\).*cannot lead out"),
        (
            {"nets": "from one import x\n", "one": "from two import y\nx = 1\n", "two": "from one import x\n"},
            r"cannot import name 'x' from partially initialized module 'one' .*circular import.* \(.*two.py, line 1\)",
        ),
        (
            {"nets": "import importlib\nimportlib.import_module('blocks')\n", "blocks": ""},
            r"No module named 'blocks' \(.*line 2\).*where an import statement names them",
        ),
    ],
)
def test_what_does_not_import_is_told_with_its_file_and_line(
    tmp_path: Path, texts: dict[str, str], expected: str
) -> None:
    with pytest.raises(PluginError, match=expected) as refused:
        imported(write(tmp_path, **texts))
    assert "lipbench_file" not in str(refused.value)
