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

PACKAGES = ("torch", "torchvision", "torch-fidelity", "numpy", "scipy", "scikit-learn", "POT")
GPU = ("driver_version", "clocks.sm", "clocks.max.sm", "power.limit")  # as nvidia-smi calls them


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
        "gpu": describe_gpu(device) if cuda else None,
        "cuda": torch.version.cuda if cuda else None,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "cpu": platform.machine(),
        "threads": threads,
    }


def describe_gpu(device: torch.device) -> dict[str, Any]:
    """What decides how quick a GPU is: its memory in bytes; driver, clocks and power where the driver's tool says."""
    known = torch.cuda.get_device_properties(device)
    asked = ",".join(GPU)
    words = ["nvidia-smi", f"--id=GPU-{known.uuid}", f"--query-gpu={asked}", "--format=csv,noheader"]
    said = (_output(words) or "").split(", ")
    return {"memory_bytes": known.total_memory} | (dict(zip(GPU, said, strict=True)) if len(said) == len(GPU) else {})


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
    return _output(["git", *words])


def _output(words: list[str]) -> str | None:
    """What a command prints; None where there is none, or it fails."""
    try:
        done = subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
