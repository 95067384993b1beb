"""Exceptions in one sentence."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from lipbench.plugins.explain import LONGEST, explain


def raised(path: Path, text: str) -> BaseException:
    """What is raised when a file of this text is imported and its function `run` called."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("explained_file", path)
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    with pytest.raises(BaseException) as caught:
        spec.loader.exec_module(module)
        module.run()
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def run():\n    return weight\n", "NameError: name 'weight' is not defined (mine.py, line 2, in run)"),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (mine.py, line 1)"),
        ("def run():\n  return (\n", "SyntaxError: '(' was never closed (mine.py, line 2)"),
        ("import json\ndef run(): json.loads('{')\n", "line 1 column 2 (char 1) (mine.py, line 2, in run)"),
        ("def run(): raise ValueError\n", "ValueError (mine.py, line 1, in run)"),
        ("def run(): raise ValueError('\\n\\n one \\n two')\n", "ValueError: one (mine.py, line 1, in run)"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0 (mine.py, line 2)"),
        (
            "def run():\n    try: 1 / 0\n    except ZeroDivisionError as error: raise KeyError('a') from error\n",
            "KeyError: 'a' (mine.py, line 3, in run)",
        ),
    ],
)
def test_the_innermost_line_of_the_users_file_is_named(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "copy.py"
    assert explain(raised(path, text), {path: Path("mine.py")}).endswith(expected)


def test_no_place_is_named_where_no_file_of_the_user_took_part(tmp_path: Path) -> None:
    error = raised(tmp_path / "other.py", "1 / 0\n")
    assert explain(error, {tmp_path / "mine.py": Path("mine.py")}) == "ZeroDivisionError: division by zero"


def test_a_message_that_fills_a_screen_is_cut() -> None:
    assert len(explain(ValueError("x" * 5000), {})) == len("ValueError: ") + LONGEST
