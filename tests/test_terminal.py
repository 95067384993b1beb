"""Terminals and pipes of any encoding."""

import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest

from lipbench import terminal


def written(text: str, encoding: str, monkeypatch: pytest.MonkeyPatch, errors: str = "strict") -> bytes:
    file = BytesIO()
    stream = TextIOWrapper(file, encoding=encoding, errors=errors)
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.console().print(text)
    stream.flush()
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "checking … FID 3 ± 1 of ‖∇f‖ − 1 → W₁ x̂ 数".encode()),
        ("latin-1", "checking ... FID 3 ± 1 of ||grad f|| - 1 -> W1 x ?".encode("latin-1")),
        ("ascii", b"checking ... FID 3 +/- 1 of ||grad f|| - 1 -> W1 x ?"),
    ],
)
def test_what_an_encoding_lacks_is_spelt_otherwise(
    encoding: str, shown: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert written("checking … FID 3 ± 1 of ‖∇f‖ − 1 → W₁ x̂ 数", encoding, monkeypatch) == shown + b"\n"


def test_a_files_name_that_is_no_text_is_written_as_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(os.fsdecode(b"b\xedla"), "utf-8", monkeypatch) == b"b\xedla\n"


def test_a_way_that_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written("…", "ascii", monkeypatch, errors="xmlcharrefreplace") == b"&#8230;\n"


def test_text_is_never_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "folder[path=/tmp/x] [red]a[/red] [/tmp/x] :smile:"
    assert written(text, "utf-8", monkeypatch) == f"{text}\n".encode()


@pytest.mark.parametrize("variables", [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}])
def test_commands_answer_in_any_locale(variables: dict[str, str]) -> None:
    kept = {key: value for key, value in os.environ.items() if key not in ("LANG", "PYTHONIOENCODING")}
    done = subprocess.run(
        [sys.executable, "-c", "from lipbench.cli import main; main()", "methods"],
        env={**kept, "PYTHONUTF8": "0", **variables},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"(||grad f(x)|| - 1)" in done.stdout
