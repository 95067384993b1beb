"""A results folder with two methods and two seeds, finished."""

from pathlib import Path

import pytest

from tests.conftest import MakeRun
from tests.reports import builder


@pytest.fixture
def results(make_run: MakeRun, tmp_path: Path) -> Path:
    for method in ("gn", "wc"):
        for seed in (0, 1):
            make_run(method, seed=seed, finished=True)
    return tmp_path / "results"


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    builder.leave_out_pictures(monkeypatch)
