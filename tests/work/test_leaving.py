"""What would end the program in silence, and what cannot be meant."""

import errno
import os
from pathlib import Path

import pytest

import lipbench
from lipbench.errors import RequestError
from lipbench.launch.checking import _ended
from lipbench.terminal import written
from lipbench.work.stages import Stages, staying
from tests.conftest import TINY

DATA = """
import os, sys
import torch
from lipbench import Dataset, Pictures

class Mine(Dataset):
    def load(self):
        {}
"""


@pytest.mark.parametrize("leaves", ["sys.exit(0)", "os._exit(0)", "raise GeneratorExit"])
def test_data_that_end_the_program_are_named_with_their_line(tmp_path: Path, leaves: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(DATA.format(leaves))
    expected = r"ends the program while it loads: (SystemExit: 0|GeneratorExit) \(.*mine.py, line 8, in load\)"
    with pytest.raises(RequestError, match=expected):
        lipbench.prepare("digits", datasets=str(path), overrides=TINY, results=tmp_path / "results")
    with pytest.raises(RequestError, match=expected):
        lipbench.evaluate(str(path), against="digits", protocol="digits")


@pytest.mark.parametrize("error", [SystemExit(0), GeneratorExit()])
def test_nothing_ends_the_program_from_within(error: BaseException) -> None:
    with pytest.raises(RequestError, match="test_leaving.py', line .*ends the program"), staying():
        raise error
    with pytest.raises(RequestError, match="mine fails while trying"), Stages("mine").stage("trying", "a number"):
        raise error


def test_a_forked_process_may_end_as_it_likes() -> None:
    with staying():
        child = os.fork()
        if not child:
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


@pytest.mark.parametrize(
    ("printed", "signal", "expected"),
    [
        (None, 0, "exit code 0; it printed nothing"),
        ("a\n\nb \n", 0, "the last that it printed: b"),
        (
            'Fatal Python error: Segmentation fault\n\nCurrent thread 0x7f:\n  File "a.py", line 3 '
            "in load\n  File b\n\nExtension modules: numpy\n",
            11,
            'signal 11 \\(SIGSEGV\\); Fatal Python error: Segmentation fault File "a.py", line 3 in load$',
        ),
    ],
)
def test_a_crash_of_the_checks_says_what_crashed_and_so_does_the_log(
    tmp_path: Path, printed: str | None, signal: int, expected: str
) -> None:
    log = tmp_path / "prepare.log"
    if printed is not None:
        log.write_text(printed)
    said = _ended({"signal": signal, "code": 0}, "gn: loading", log)
    with pytest.raises(RequestError, match=expected):
        raise RequestError(said)
    assert log.read_text().endswith(f"{said}\n")


@pytest.mark.parametrize("device", ["meta", "mps", "xpu", "cpu:3", "cuda:x", "", "cuda:99999"])
def test_a_device_that_cannot_measure_is_refused_at_once(tmp_path: Path, device: str) -> None:
    for ask in (
        lambda: lipbench.prepare("digits", device=device, results=tmp_path),
        lambda: lipbench.evaluate("digits", against="digits", device=device),
        lambda: lipbench.cost("gn", device=device),
        lambda: lipbench.check("cnn-8", "gn", device=device),
        lambda: lipbench.run("gn", device=device, results=tmp_path),
    ):
        with pytest.raises(RequestError, match="device is .*; expected auto, cpu, cuda"):
            ask()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("evaluate.samples", 10**15),
        ("evaluate.kid_subsets", 10**9),
        ("evaluate.critic_points", 10**12),
        ("evaluate.real_samples", 10**12),
        ("evaluate.isc_splits", 10**12),
        ("train.batch_size", 10**12),
        ("train.steps", 10**18),
        ("train.critic_steps", 10**12),
        ("train.latent_dim", 10**12),
        ("train.threads", 10**9),
    ],
)
def test_a_number_that_nobody_means_is_refused_at_once(tmp_path: Path, key: str, value: int) -> None:
    with pytest.raises(RequestError, match=f"{key}.*less than or equal to|{key}.*at most"):
        lipbench.prepare("digits", overrides={key: value}, results=tmp_path)


def test_a_reader_who_has_gone_is_no_fault_of_the_users_code() -> None:
    with pytest.raises(SystemExit, match="141"), staying(), Stages("mine").stage("trying", "a number"), written():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
