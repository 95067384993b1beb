"""Where a run took place."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lipbench.work.environment import describe_gpu

SAYS = """#!/bin/sh
test "$1 $3" = "--id=GPU-11-22 --format=csv,noheader" && echo "580.65.06, 1980 MHz, 1980 MHz, 700.00 W"
"""


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu_is_described_by_its_driver_clocks_and_power_where_the_drivers_tool_is_there(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = SimpleNamespace(uuid="11-22", total_memory=2**33)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: known)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if there else str(tmp_path))
    if there:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(SAYS)
        tool.chmod(0o755)
    said = {
        "driver_version": "580.65.06",
        "clocks.sm": "1980 MHz",
        "clocks.max.sm": "1980 MHz",
        "power.limit": "700.00 W",
    }
    assert describe_gpu(torch.device("cuda")) == {"memory_bytes": 2**33} | (said if there else {})
