"""What a plugin file says about itself."""

from pathlib import Path

import pytest

from lipbench.errors import PluginError
from lipbench.plugins import card, kinds, own
from lipbench.plugins.kinds import Kind

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
    read = card.read(write(tmp_path / "mine.py", FILE), kinds.METHOD)
    assert read.name == "mine"
    assert read.class_name == "Mine"
    assert read.summary == "A one-sided penalty, on two lines."
    assert read.fields == {"formula": "(n − 1)₊²", "paper": "somebody 2017"}
    assert read.constants == {"guarantee": "soft", "recommended": {"loss": "hinge"}}
    assert [str(parameter) for parameter in read.parameters] == ["weight: float = 10.0", "sort: str", "every: int = 1"]
    assert read.hooks == {"penalty", "penalty_points"}


def test_a_method_without_a_penalty_has_no_laziness_to_set(tmp_path: Path) -> None:
    text = "from lipbench import Method\nclass Mine(Method):\n    def score(self, v, n): return v\n"
    assert card.read(write(tmp_path / "mine.py", text), kinds.METHOD).parameters == ()


def test_a_class_may_derive_from_a_siblings_and_inherits_what_it_says(tmp_path: Path) -> None:
    write(tmp_path / "base.py", FILE)
    text = '"""Other.\n\nFormula: g\n"""\nfrom .base import Mine\nclass Yours(Mine):\n    weight: float = 1.0\n'
    read = card.read(write(tmp_path / "yours.py", text), kinds.METHOD)
    assert read.fields == {"formula": "g", "paper": "somebody 2017"}
    assert {parameter.name: parameter.default for parameter in read.parameters}["weight"] == 1.0
    assert "penalty" in read.hooks


def read(folder: Path, text: str, kind: Kind = kinds.METHOD) -> card.Card:
    return card.read(write(folder / "mine.py", text), kind)


@pytest.mark.parametrize(
    "head",
    [
        "from lipbench import Method as M\nclass Mine(M):\n",
        "import lipbench as lb\nclass Mine(lb.Method):\n",
        "import lipbench.interfaces.method\nclass Mine(lipbench.interfaces.method.Method):\n",
        "from lipbench.interfaces.method import Method\nclass Mine(Method):\n",
        "from lipbench import *\nclass Mine(Method):\n",
        "import lipbench\nBase = lipbench.Method\nclass Mine(Base):\n",
        "from abc import ABC\nfrom lipbench import Method\nclass Mine(Method, ABC):\n",
        "try:\n    from lipbench import Method\nexcept ImportError: raise\nclass Mine(Method):\n",
        "from lipbench import Method\nclass Method(Method): ...\nclass Mine(Method):\n",
        "from lipbench import Method\nclass _Other(Method):\n    control = True\nclass Mine(Method):\n",
        "from lipbench import Method\nclass Helper(object): ...\nclass Mine(Method):\n",
    ],
)
def test_the_interface_is_known_by_any_name(tmp_path: Path, head: str) -> None:
    assert read(tmp_path, head + SCORE).class_name == "Mine"


BASE = """from lipbench import Method
class Base(Method):
    weight: float = 10.0
    guarantee = "soft"
    def penalty_points(self, real, fake, rng): ...
"""


def test_of_two_levels_the_lower_one_is_the_method_and_inherits_from_the_upper(tmp_path: Path) -> None:
    found = read(tmp_path, BASE + "class Mine(Base):\n    weight = 2.0\n    def penalty(self, value, grad_norm): ...\n")
    assert found.class_name == "Mine"
    assert found.hooks == {"penalty_points", "penalty"}
    assert found.constants == {"guarantee": "soft"}
    assert [str(parameter) for parameter in found.parameters] == ["weight: float = 2.0", "every: int = 1"]


def test_a_misspelt_default_of_an_inherited_parameter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="wieght has no meaning to a method; did you mean weight?"):
        read(tmp_path, BASE + f"class Mine(Base):\n    wieght = 2.0\n{SCORE}")


def test_a_mixin_gives_its_hooks_and_no_parameters(tmp_path: Path) -> None:
    mixin = f"class Scores:\n    scale: float = 2.0\n{SCORE}"
    found = read(tmp_path, f"from lipbench import Method\n{mixin}class Mine(Scores, Method): ...\n")
    assert found.hooks == {"score"}
    assert found.parameters == ()


def test_a_built_in_is_extended_from_a_file_of_ones_own(tmp_path: Path) -> None:
    text = "from lipbench_methods.lp import LipschitzPenalty\nclass Mine(LipschitzPenalty):\n    slack: float = 0.5\n"
    found = read(tmp_path, text)
    assert found.hooks == {"penalty_points", "penalty"}
    assert found.constants["guarantee"] == "soft"
    assert [parameter.name for parameter in found.parameters] == ["weight", "slack", "every"]
    assert "Petzka" in found.fields["paper"]
    assert found.aliases == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1\n", r"defines 0 methods; expected exactly one class that derives from lipbench.Method: from lipbench"),
        ("from lipbench import Method\nclass A(Method): ...\nclass B(Method): ...\n", r"defines 2 methods \(A, B\)"),
        ("from lipbench import Method\nclass A(Method): ...\nclass A(Method): ...\n", r"defines 2 methods \(A, A\)"),
        ("from lipbench import Method\nclass _A(Method): ...\n", r"private names alone \(_A\); expected one without"),
        ("class A(Method): ...\n", "A derives from Method, which cannot be followed: mine.py neither defines nor imp"),
        (
            "from helpers import Base\nclass Mine(Base): ...\n",
            "Mine derives from Base, which cannot be followed: there is no Python module helpers beside "
            "mine.py and none is installed. Expected classes of the file itself, of modules beside it",
        ),
        ("from .nothing import Base\nclass Mine(Base): ...\n", "there is no module .nothing beside mine.py"),
        ("from lipbench_methods.gp import GP\nclass Mine(GP): ...\n", "gp.py neither defines nor imports GP"),
        ("import nowhere\nclass Mine(nowhere.Base): ...\n", "no Python module nowhere beside"),
        ("class Mine(make()): ...\n", r"make\(\) is not the name of a class"),
        (
            "from lipbench import Method\nclass A(Method): ...\nclass Mine(Method, A): ...\n",
            "Mine in .* cannot be a class: Cannot create a consistent method resolution",
        ),
        ("def broken(:\n", r"not valid Python \(line 1\)"),
        ("x = '\0'\n", "not valid Python"),
    ],
)
def test_a_file_that_cannot_be_a_plugin_is_refused_with_the_reason(tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path / "helpers.py", BASE)
    with pytest.raises(PluginError, match=expected):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "from helpers import Base\nclass Mine(Base):\n",
        "import helpers as h\nclass Mine(h.Base):\n",
        "from .helpers import Base\nclass Mine(Base):\n",
        "from more import Base\nclass Mine(Base):\n",
        "import more\nclass Mine(more.inner.Base):\n",
        "from more.inner import Base\nclass Mine(Base):\n",
    ],
)
def test_a_class_of_a_module_beside_the_file_is_followed(tmp_path: Path, text: str) -> None:
    write(tmp_path / "helpers.py", BASE)
    (tmp_path / "more").mkdir()
    write(tmp_path / "more" / "inner.py", "from ..helpers import Base\n")
    write(tmp_path / "more" / "__init__.py", "from . import inner\nfrom helpers import Base\n")
    path = write(tmp_path / "mine.py", f"{text}    def penalty(self, value, grad_norm): ...\n")
    moved = tmp_path / "copies"  # as in a run folder
    places = {}
    for place, file in own.modules(path).items():
        places[place] = moved / place
        places[place].parent.mkdir(parents=True, exist_ok=True)
        file.rename(places[place])
    found = card.read(path, kinds.METHOD, places)
    assert found.hooks == {"penalty_points", "penalty"}
    assert "weight" in [parameter.name for parameter in found.parameters]


METHOD = "from lipbench import Method\nclass Mine(Method):\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "def penality(self, v, n): ...",
            "line 3: penality is no hook of a method; did you mean penalty?.*: _penality",
        ),
        ("def regulate(self): ...", "regulate is no hook of a method. The hooks are constrain, penalty"),
        ("weight: float = 1.0", "defines no hook, so it would train the unconstrained critic under another name"),
        ("def penalty(self, v, n): ...", "has a penalty but no penalty_points"),
        ("def penalty_points(self, r, f, g): ...", "has a penalty_points but no penalty"),
        (
            "def regularizer(self, c, r, f, g): ...\n    def regulariser(self, c, r, f, g): ...",
            r"line 4: regulariser is defined a second time \(regularizer is another spelling of it\)",
        ),
        (
            "def __init__(self, weight): ...",
            "has no __init__ of its own; expected annotated fields with their defaults",
        ),
        (
            "guarantee = 'strong'",
            "guarantee is 'strong'; expected one of: none, soft, almost everywhere, layerwise, cer",
        ),
        ("guarantee = SOFT", "guarantee is SOFT; expected one of: none, soft"),
        ("guarantee: str = 'soft'", "guarantee is no parameter; write it without a type: guarantee = 'soft'"),
        ("guarante = 'soft'", "guarante has no meaning to a method; did you mean guarantee?"),
        ("recomended = {'loss': 'hinge'}", "did you mean recommended?"),
        ("evry: int = 4", "did you mean every?"),
        ("penality = lambda self, v, n: n.mean()", "did you mean penalty?"),
        (
            "sizes: list = [1]",
            "the parameter sizes has the type list; expected int, float, bool, str. What is no param",
        ),
        ("x: float | None = None", r"the type float \| None"),
        ("weight: float = 'a'", "weight is 'a'; expected a default of its type, float"),
        ("n: int = 2.5", "n is 2.5; expected a default of its type, int"),
        ("n: int = True", "n is True; expected"),
        ("on: bool = 1", "on is 1; expected"),
        ("weight: float = None", "weight is None; expected"),
        ("every: int = 0", "every is 0; expected a whole number of at least 1"),
        ("score: float = 2.0", "score is a hook, hence a function; expected another name"),
        ("regularizer = None", "regularizer is a hook, hence a function"),
        ("every = 0", "every is 0; expected a whole number of at least 1"),
        ("every = 2.5", "every is 2.5; expected a default of its type, int"),
    ],
)
def test_what_a_class_cannot_mean_is_refused_with_its_cure(tmp_path: Path, body: str, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        read(tmp_path, f"{METHOD}    {body}\n")


@pytest.mark.parametrize(
    "body",
    [
        "def _helper(self): ...",
        "@property\n    def rate(self): ...",
        "@property\n    def rate(self): ...\n    @rate.setter\n    def rate(self, value): ...",
        "@staticmethod\n    def mix(a, b): ...",
        "@classmethod\n    def default(cls): ...",
        "def __post_init__(self): ...",
        "weight: float = 10",
        "weight: 'float' = 10.0",
        "sizes: ClassVar[list[int]] = [1]",
        "sizes = [1]",
        "guarantee: ClassVar[str] = 'soft'",
        "penalty_weight: float = 1.0",
    ],
)
def test_what_is_no_hook_and_cannot_be_taken_for_one_may_stand_in_a_class(tmp_path: Path, body: str) -> None:
    assert read(tmp_path, f"{METHOD}{SCORE}    {body}\n").hooks == {"score"}


@pytest.mark.parametrize("indent", ["", " " * 8])
def test_a_hook_that_slipped_out_of_its_class_is_refused(tmp_path: Path, indent: str) -> None:
    head = "from lipbench_methods.gp import GradientPenalty\nclass Mine(GradientPenalty):\n"
    text = f"{head}    def _own(self):\n        pass\n"
    with pytest.raises(PluginError, match=r"penalty in .*mine.py', line 5, stands in no class.*; indent it"):
        read(tmp_path, f"{text}{indent}def penalty(self, value, grad_norm): ...\n")


def test_a_function_that_helps_may_bear_the_name_of_a_hook(tmp_path: Path) -> None:
    helper = "def score(value): ...\nclass Net:\n    def project(self): ...\n"
    assert read(tmp_path, helper + METHOD + SCORE).hooks == {"score"}


def test_the_american_spelling_is_the_same_hook(tmp_path: Path) -> None:
    found = read(tmp_path, METHOD + "    def regularizer(self, critic, real, fake, rng): ...\n")
    assert found.hooks == {"regulariser"}
    assert [parameter.name for parameter in found.parameters] == ["every"]


def test_a_method_that_says_so_may_change_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, METHOD + "    control = True\n").hooks == set()


def test_a_default_that_only_an_import_tells_is_shown_as_it_is_written(tmp_path: Path) -> None:
    (weight,) = read(tmp_path, f"{METHOD}    weight: float = 2 * 5\n{SCORE}").parameters
    assert str(weight) == "weight: float = 2 * 5"
    assert weight.default not in ("2 * 5", 10.0)


DATASET = "from lipbench import Dataset\nclass Mine(Dataset):\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("def lod(self): ...", "lod is no hook of a data set; did you mean load?"),
        ("size: int = 3", "Mine in .* has no load; expected load"),
        ("default_split = 'test'", "default_split is 'test'; expected one of: train, held_out, all"),
    ],
)
def test_a_data_set_that_loads_nothing_is_refused(tmp_path: Path, body: str, expected: str) -> None:
    with pytest.raises(PluginError, match=expected):
        read(tmp_path, f"{DATASET}    {body}\n", kinds.DATASET)


def test_a_data_set_may_have_functions_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, f"{DATASET}    def load(self): ...\n    def unzip(self): ...\n", kinds.DATASET)
    assert found.hooks == {"load"}


@pytest.mark.parametrize(
    ("encoding", "head"), [("utf-8-sig", ""), ("latin-1", "# -*- coding: latin-1 -*-\n"), ("utf-8", "")]
)
def test_a_file_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str, head: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f'{head}"""Müller."""\n{METHOD}{SCORE}', encoding=encoding)
    assert card.read(path, kinds.METHOD).summary == "Müller."


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f'"""Müller."""\n{METHOD}{SCORE}', encoding="latin-1")
    with pytest.raises(PluginError, match="is not valid Python"):
        card.read(path, kinds.METHOD)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="there is no file"):
        card.read(tmp_path / "mine.py", kinds.METHOD)
    with pytest.raises(PluginError, match="cannot be read"):
        card.read(tmp_path, kinds.METHOD)
