"""Classes and what they derive from, read from text."""

from pathlib import Path

import pytest

from lipbench.plugins import classes
from lipbench.plugins.classes import Class, NotFollowed


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def names(path: Path, last: str) -> list[str]:
    found = next(found for found in reversed(classes.read(path).classes()) if found.name == last)
    return [ancestor.name for ancestor in classes.lineage(found)[0]]


@pytest.mark.parametrize(
    "text",
    [
        "class A: ...\nclass B(A): ...\nclass C(A): ...\nclass D(B, C): ...\n",
        "class A(Exception): ...\nclass B: ...\nclass C(B, A): ...\nclass D(C, A): ...\n",
        "class A: ...\nclass A(A): ...\nclass D(A): ...\n",
        "if 1:\n    class A: ...\nelse:\n    pass\nB = A\nclass D(B): ...\n",
        "match 1:\n    case _:\n        class A: ...\nclass D(A): ...\n",
    ],
)
def test_the_order_of_look_up_is_that_of_python(tmp_path: Path, text: str) -> None:
    made: dict[str, type] = {}
    exec(text, made)
    path = write(tmp_path, one=text) / "one.py"
    own = [each.__name__ for each in made["D"].__mro__ if each.__module__ == "builtins" and each.__name__ in "ABCD"]
    assert names(path, "D") == own


def test_imports_are_followed_from_file_to_file_and_through_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "a_package_of_classes"
    package.mkdir()
    write(
        package,
        __init__="raise RuntimeError('reading must not import this')\nfrom .inner import *\n"
        "from a_package_of_classes import base as base\n",
        inner="from . import base as b\nclass Inner(b.Base): ...\n",
        base="class Base: ...\n",
    )
    write(
        tmp_path,
        one="from a_package_of_classes import Inner\nclass D(Inner): ...\n",
        two="from .one import D as E\nclass D(E): ...\n",
        three="from a_package_of_classes import base as m\nclass F(m.Base): ...\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert names(tmp_path / "one.py", "D") == ["D", "Inner", "Base"]
    assert names(tmp_path / "two.py", "D") == ["D", "D", "Inner", "Base"]
    assert names(tmp_path / "three.py", "F") == ["F", "Base"]


def test_files_that_import_each_other_end(tmp_path: Path) -> None:
    write(tmp_path, one="from .two import B\nclass A(B): ...\n", two="from .one import A\nclass B(A): ...\n")
    assert names(tmp_path / "one.py", "A") == ["A", "B"]
    write(tmp_path, one="from .two import *\nclass A(B): ...\n", two="from .one import *\n")
    assert names(tmp_path / "one.py", "A") == ["A"]


@pytest.mark.parametrize("text", ["", "x = 1\n", "x = x\n", "import json as x\n", "from json import no as x\n"])
def test_a_name_that_is_no_class_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    source = classes.read(write(tmp_path, one=text) / "one.py")
    try:
        assert not isinstance(source.find("x"), Class)
    except NotFollowed as reason:
        assert str(reason)


def test_a_class_is_the_same_each_time_that_its_file_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, one="class A: ...\nclass B: ...\n") / "one.py"
    first = classes.read(path).classes()
    classes._parse.cache_clear()
    assert classes.read(path).classes() == first != first[::-1]
