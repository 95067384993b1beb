"""The launcher's side of the checks, with a server that says what a test has it say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lipbench.launch import checking
from lipbench.launch.connection import Connection
from lipbench.launch.listener import Forecast
from lipbench.request.plan import plan
from tests.work.cells import Heard

EXIT = {"event": "exit", "run": "", "code": 0, "signal": 0}
FITS = {"event": "fits", "seconds": 3.0, "disk": 5, "facts": {"engine": "plain"}}
GOOD = [{"event": "made", "networks": {"shape": [1]}}, FITS, {"event": "prepared"}, EXIT]


class Server(Connection):
    """Answers each check with the next list of events, one at a time."""

    def __init__(self, *answers: list[dict[str, Any]], prints: str = "") -> None:
        self.answers, self.prints = list(answers), prints
        self.present: list[dict[str, Any]] = []

    def send(self, command: dict[str, Any]) -> None:
        if "kill" in command:
            self.present = [{**EXIT, "signal": 9}]
        else:
            self.present = list(self.answers.pop(0))
            Path(command["log"]).write_text(self.prints)

    def events(self, patience: float) -> list[dict[str, Any]]:
        return [self.present.pop(0)] if self.present else []


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    def checked(server: Server, timeout: float | None = None) -> list[checking.Verdict]:
        @contextmanager
        def connect(*_: object) -> Iterator[Server]:
            yield server

        monkeypatch.setattr(checking, "connect", connect)
        planned = plan("gn,wc", None, [0], "digits", {})
        return checking.check_each(planned, device="cpu", timeout=timeout, listener=Heard())

    return checked


def test_what_is_heard_of_a_cell_is_its_verdict(check: Any) -> None:
    note = {"event": "noted", "text": "Mind this."}
    first, second = check(Server([note, note, *GOOD], GOOD))
    assert first.accepted
    assert first.forecast == Forecast(3.0, 5)
    assert first.facts == {"shape": [1], "engine": "plain"}
    assert (first.notes, second.notes) == (["Mind this."], [])


@pytest.mark.parametrize(
    ("answer", "timeout", "expected"),
    [
        ([{"event": "refused", "message": "It mixes."}, EXIT], None, "It mixes."),
        ([{**EXIT, "code": 3}], None, "by exit code 3; the last that it printed: Segmentation fault"),
        ([{**EXIT, "signal": 9}], None, "by signal 9 (SIGKILL); the system may have run out of memory"),
        ([{"event": "checking", "text": "trying score"}], 1e-3, "trying score takes longer than 0.001 s"),
    ],
)
def test_whatever_ends_one_check_the_next_begins(
    check: Any, answer: list[dict[str, Any]], timeout: float | None, expected: str
) -> None:
    first, second = check(Server(answer, GOOD, prints="Torch says\n\nSegmentation fault\n"), timeout)
    assert expected in first.refusal
    assert first.forecast is None
    assert second.accepted
