"""What a plugin file says about itself."""

from pathlib import Path

import pytest

from lipbench import card
from lipbench.errors import PluginError

FILE = '''"""A one-sided penalty,
on two lines.

Formula: (n − 1)₊²
Paper: somebody 2017
"""
import a_package_that_does_not_exist
from typing import ClassVar
from lipbench import Method

class Helper: ...

class Mine(Method):
    guarantee: ClassVar[str] = "soft"
    recommended = {"loss": "hinge"}
    weight: float = 10.0
    sort: str
    def penalty_points(self, real, fake, rng): ...
    def penalty(self, value, grad_norm): ...
'''
SCORE = "    def score(self, value, grad_norm): ...\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_is_read_without_importing_the_file(tmp_path: Path) -> None:
    read = card.read(write(tmp_path / "mine.py", FILE), "Method")
    assert read.name == "mine"
    assert read.class_name == "Mine"
    assert read.summary == "A one-sided penalty, on two lines."
    assert read.fields == {"formula": "(n − 1)₊²", "paper": "somebody 2017"}
    assert read.constants == {"guarantee": "soft", "recommended": {"loss": "hinge"}}
    assert [str(parameter) for parameter in read.parameters] == ["weight: float = 10.0", "sort: str", "every: int = 1"]
    assert read.hooks == {"penalty", "penalty_points"}


def test_a_method_without_a_penalty_has_no_laziness_to_set(tmp_path: Path) -> None:
    text = "from lipbench import Method\nclass Mine(Method):\n    def score(self, v, n): return v\n"
    assert card.read(write(tmp_path / "mine.py", text), "Method").parameters == ()


def test_a_class_may_derive_from_a_siblings_and_inherits_what_it_says(tmp_path: Path) -> None:
    write(tmp_path / "base.py", FILE)
    text = '"""Other.\n\nFormula: g\n"""\nfrom .base import Mine\nclass Yours(Mine):\n    weight: float = 1.0\n'
    read = card.read(write(tmp_path / "yours.py", text), "Method")
    assert read.fields == {"formula": "g", "paper": "somebody 2017"}
    assert {parameter.name: parameter.default for parameter in read.parameters}["weight"] == 1.0
    assert "penalty" in read.hooks


def test_an_interface_named_through_its_module_counts(tmp_path: Path) -> None:
    text = f"import lipbench\nclass Mine(lipbench.Method):\n{SCORE}"
    assert card.read(write(tmp_path / "mine.py", text), "Method").class_name == "Mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", r"defines 0 methods \(none\); expected exactly one"),
        ("class A(Method): ...\nclass B(Method): ...\n", r"defines 2 methods \(A, B\)"),
        ("def broken(:\n", r"not valid Python \(line 1\)"),
        ("x = '\0'\n", "not valid Python"),
    ],
)
def test_a_file_that_cannot_be_a_plugin_is_refused_with_the_reason(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        card.read(write(tmp_path / "mine.py", text), "Method")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="there is no file"):
        card.read(tmp_path / "mine.py", "Method")
    with pytest.raises(PluginError, match="cannot be read"):
        card.read(tmp_path, "Method")
