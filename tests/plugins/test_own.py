"""Which modules are the user's own, read from the texts of a file and of what it imports."""

from pathlib import Path

import pytest

from lipbench.errors import PluginError
from lipbench.plugins import own


def write(folder: Path, **texts: str) -> Path:
    """Write files, ``__`` for a slash in their names and ``init`` for a package's own; the first is the user's."""
    for name, text in texts.items():
        *above, stem = name.split("__")
        path = folder.joinpath(*above, "__init__.py" if stem == "init" else f"{stem}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / f"{next(iter(texts))}.py"


@pytest.mark.parametrize(
    ("texts", "places"),
    [
        ({"nets": "import math, torch\nfrom lipbench import Method\n", "math": "", "torch_": ""}, []),
        ({"nets": "import blocks\n", "blocks": "", "other": ""}, ["blocks.py"]),
        ({"nets": "from blocks import Block\n", "blocks": "import deeper\n", "deeper": ""}, ["blocks.py", "deeper.py"]),
        ({"nets": "from .blocks import Block\n", "blocks": ""}, ["blocks.py"]),
        ({"nets": "from . import blocks\n", "blocks": ""}, ["blocks.py"]),
        ({"nets": "def make(): import blocks\n", "blocks": ""}, ["blocks.py"]),
        ({"nets": "try: import blocks\nexcept ImportError: import nowhere\n", "blocks": ""}, ["blocks.py"]),
        ({"nets": "import a.b\n", "a__init": "", "a__b": "", "a__c": ""}, ["a/__init__.py", "a/b.py"]),
        ({"nets": "from a import b\n", "a__init": "", "a__b": ""}, ["a/__init__.py", "a/b.py"]),
        ({"nets": "from a import *\n", "a__init": "from .b import c\n", "a__b": ""}, ["a/__init__.py", "a/b.py"]),
        ({"nets": "import a\n", "a__init": "from .. import blocks\n", "blocks": ""}, ["a/__init__.py", "blocks.py"]),
        ({"nets": "from a.b import c\n", "a__b": "from .c import d\n", "a__c": ""}, ["a/b.py", "a/c.py"]),
        ({"nets": "import one\n", "one": "import two\n", "two": "import one\n"}, ["one.py", "two.py"]),
        ({"nets": "from a import b\n", "a__init": "b = 1\n", "a": ""}, ["a/__init__.py"]),  # as Python itself chooses
        ({"nets": "from ..beyond import b\n", "beyond": ""}, []),  # which Python refuses
        ({"nets": "import torch\n", "torch__notes": ""}, []),  # a folder stands in for nothing that is installed
        ({"nets": "from .math import tau\n", "math": "import math\n"}, ["math.py"]),
        ({"nets": "import scipy\n", "init": "", "scipy": "1 / 0\n"}, []),  # in a package, others are named by dots
        ({"nets": "import blocks\n", "init": "", "blocks": ""}, ["blocks.py"]),
    ],
)
def test_modules_are_found_as_python_finds_them(tmp_path: Path, texts: dict[str, str], places: list[str]) -> None:
    assert own.modules(write(tmp_path, **texts)) == {place: tmp_path / place for place in places}


def test_they_are_found_on_the_path_and_in_the_present_folder_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "user", nets="import far, near, here\n", near="")
    write(tmp_path / "path", far="", near="1 / 0\n")
    write(tmp_path / "present", here="", torch="", far="1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    monkeypatch.chdir(tmp_path / "present")
    assert own.modules(path) == {
        "far.py": tmp_path / "path" / "far.py",
        "here.py": Path("here.py"),
        "near.py": tmp_path / "user" / "near.py",
    }


def test_what_is_installed_is_never_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "site-packages", stranger="import other\n", other="")
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    assert own.modules(write(tmp_path, nets="import stranger\n")) == {}
    assert own.modules(write(tmp_path / "site-packages", nets="import other\n")) == {}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"nets": "import blocks\n", "blocks": "\ndef broken(:\n"}, r"blocks.py' is not valid Python \(line 2\)"),
        (
            {"nets": "from .scipy import a\nimport scipy\n", "init": "", "scipy": ""},
            "use the installed scipy and .*scipy.py', both of one name; rename the latter",
        ),
    ],
)
def test_modules_that_cannot_be_meant_are_refused(tmp_path: Path, texts: dict[str, str], expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        own.modules(write(tmp_path, **texts))


def test_the_version_of_a_file_goes_by_its_modules_and_is_its_digest_where_it_has_none() -> None:
    assert own.version("abc", {}) == "abc"
    both = {"a.py": "1", "b.py": "2"}
    assert own.version("abc", both) == own.version("abc", dict(reversed(both.items())))
    assert len({own.version("abc", more) for more in ({}, both, {"a.py": "2", "b.py": "2"}, {"c.py": "1"})}) == 4
