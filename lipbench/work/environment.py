"""Where a run took place: versions, git state, device and threads, and the command that it is told."""

import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lipbench.version import VERSION

PACKAGES = ("torch", "torchvision", "torch-fidelity", "numpy", "scipy", "scikit-learn")


def describe(device: torch.device, threads: int, argv: list[str]) -> dict[str, Any]:
    """Describe this process; none of it is part of a run's identity."""
    cuda = device.type == "cuda"
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "argv": argv,
        "lipbench": VERSION,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "git": git_state(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name(device) if cuda else " ".join([device.type, *processor()]),
        "cuda": torch.version.cuda if cuda else None,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "cpu": platform.machine(),
        "threads": threads,
    }


def processor() -> list[str]:
    """The model of the processor, which decides over seconds; nothing where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.startswith("model name")][:1]


@cache  # asked once, before cells are forked
def git_state() -> dict[str, Any] | None:
    """The commit of the folder where the command was given, and whether it was changed; None outside a repository."""
    commit = _git("rev-parse", "HEAD")
    return None if commit is None else {"commit": commit, "dirty": bool(_git("status", "--porcelain"))}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
