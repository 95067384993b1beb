"""`lipbench check` of a method: told from networks by what is given."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lipbench.api.methods import names_method
from lipbench.cli import main
from lipbench.errors import LipbenchError
from lipbench.plugins import starter

SMALL = ["--steps", "2", "--set", "architecture=cnn-8[width=2]", "--set", "train.batch_size=8"]
ARCHITECTURE = (
    "from lipbench import Architecture\nclass A(Architecture):\n    def make(self, image_shape, latent_dim): ..."
)
FUNCTION = "def make(image_shape, latent_dim): ...\n"
BOTH = "from lipbench import Method\nclass M(Method):\n    control = True\n"


def test_a_method_is_told_from_networks(tmp_path: Path) -> None:
    method = starter.write(tmp_path / "mine.py")
    (tmp_path / "nets.py").write_text(ARCHITECTURE)
    assert [names_method(text) for text in ("gp", "gp[weight=1]", str(method), f"{method}[weight=1]")] == 4 * [True]
    assert [names_method(text) for text in ("cnn-8", f"{tmp_path}/nets.py", f"{method}:make")] == 3 * [False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            FUNCTION,
            r"neither a method nor an architecture; for a function in the file, expected the form .*nets.py:make",
        ),
        (BOTH + ARCHITECTURE, "defines a method and an architecture; expected a file for each"),
        ("class", "nets.py"),
    ],
)
def test_a_file_that_is_neither_or_both_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "nets.py").write_text(text)
    with pytest.raises(LipbenchError, match=expected):
        names_method(str(tmp_path / "nets.py"))


def test_a_failure_is_shown_with_its_cure_and_written_as_json(tmp_path: Path) -> None:
    path = starter.write(tmp_path / "mine.py")
    path.write_text(path.read_text().replace(".mean()", ".mean().detach()"))
    out = tmp_path / "findings.json"
    result = CliRunner().invoke(main, ["check", str(path), *SMALL, "--json", str(out)])
    assert result.exit_code == 1, result.output
    text = " ".join(result.output.split())
    assert "accepted failed penalty of mine has no gradient" in text
    assert "cure: expected a function of them without detach()" in text
    assert "1 failed, 11 not applicable" in text
    findings = json.loads(out.read_text())["findings"]
    assert [finding["outcome"] for finding in findings] == ["failed"] + 11 * ["not applicable"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gm"], "unknown method 'gm'"),
        (["gp[weigth=1]"], "Did you mean 'weight'"),
        (["gp", "--methods", "gn"], "--methods is for networks"),
        (["gp", "--device", "cuda"], "a method is checked on the CPU"),
        (["gp", "--protocol", "w1"], "trains a critic alone"),
        (["gp+sn"], "expected one method"),
        (["cnn-8", "--steps", "3"], "--steps is for methods"),
    ],
)
def test_a_wrong_request_is_told_from_a_method_that_fails(words: list[str], expected: str) -> None:
    result = CliRunner().invoke(main, ["check", *words])
    assert (result.exit_code, expected in result.stderr) == (2, True), result.output
