"""`lipbench check`: what each method makes of networks, before anything is run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lipbench.cli import main

NETS = """from torch import nn
from blocks import first
def make(shape, latent_dim):
    generator = nn.Sequential(nn.Linear(latent_dim, 64), nn.Tanh(), nn.Unflatten(1, shape))
    return generator, nn.Sequential(first(), nn.Flatten(), nn.Linear(64, 1))
"""


def test_a_method_that_is_refused_hides_no_other_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "blocks.py").write_text("from torch import nn\ndef first():\n    return nn.BatchNorm2d(1)\n")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    result = CliRunner().invoke(main, ["check", "./nets.py:make", "--methods", "gn,wc"])
    assert result.exit_code == 1, result.output
    text = " ".join(result.output.split())
    assert "nets:make, protocol digits shape 1×8×8 generator parameters 4,160 critic parameters 67" in text
    assert "gn: refused the critic mixes the samples of a batch" in text
    assert "wc: accepted a run takes about" in text
    assert "1 of 2 accepted; nothing was trained" in text
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cnn-9"], "unknown architecture 'cnn-9'"),
        (["cnn-8", "--methods", "gm"], "unknown method 'gm'"),
        (["./nowhere.py:make"], "there is no file './nowhere.py'"),
        (["./nowhere.py"], "for a function in the file, expected the form ./nowhere.py:make"),
        (["cnn-8", "--set", "architecture=mlp"], "setting architecture is given twice"),
    ],
)
def test_a_wrong_request_is_told_from_networks_that_are_refused(words: list[str], expected: str) -> None:
    result = CliRunner().invoke(main, ["check", *words])
    assert (result.exit_code, expected in result.stderr) == (2, True)
