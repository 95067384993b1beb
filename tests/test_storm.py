"""Short storms; `python -m tests.storm` makes long ones."""

from pathlib import Path

import pytest

from tests.storm import storm


@pytest.mark.slow
@pytest.mark.parametrize("disk", ["lying locks", "network"])
def test_runs_that_are_killed_again_and_again_are_finished_once_and_bit_equal(tmp_path: Path, disk: str) -> None:
    assert storm(tmp_path, kills=6, launchers=2, methods="sn+gp,gn", seeds="0", steps=160, disk=disk) == []
