"""Terminals and pipes of any encoding."""

import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest

from lipbench import terminal
from lipbench.screen.lines import print_line


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


def test_what_governs_a_terminal_is_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\x1b[31m\x07\x08\r\x7f\x9b31m\u202eb\u2066"
    shown = rb"a\x1b[31m\x07\x08\r\x7f\x9b31m\u202eb\u2066"
    assert terminal.visible(text).encode() == shown
    assert terminal.one_line("done\nfailed: x") == r"done\nfailed: x"
    assert b"\x1b" not in written(text, "utf-8", monkeypatch)


def test_a_console_colours_its_own_lines_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    file = TextIOWrapper(BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_line(terminal.console(), "a\x1bb", "red")
    file.seek(0)
    assert file.read() == "\x1b[31ma\\x1bb\x1b[0m\n"


FULL = "standard output cannot be written to: No space left on device"
AWAY = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1)"


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [
        ("import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)", 2, FULL),
        (AWAY, 141, ""),
        ("import os, sys; os.close(1); sys.stdout = None", 0, ""),
        ("import os, sys; os.close(2); sys.stderr = None", 0, ""),
    ],
)
def test_commands_end_in_order_where_nobody_reads_or_nothing_can_be_written(before: str, code: int, said: str) -> None:
    program = f"{before}; from lipbench.cli import main; main(['protocols'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)
