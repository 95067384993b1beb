"""Real data and weights, for the tests that need them: the folder that ``LIPBENCH_ASSETS`` names."""

import os
from pathlib import Path

import pytest

_FOLDER = Path(os.environ.get("LIPBENCH_ASSETS") or "/nowhere")

CIFAR10 = _FOLDER / "cifar-10-batches-bin"
FASHION_MNIST = _FOLDER / "fashion-mnist"
INCEPTION = _FOLDER / "inception-fid.pth"

# The published centres of the W1 benchmark come with the repository.
CENTRES = Path(__file__).parent.parent / "results" / "reference" / "w1" / "centres"


def needs(path: Path) -> pytest.MarkDecorator:
    """Skip a test where this part of the assets is not there."""
    return pytest.mark.skipif(not path.exists(), reason=f"LIPBENCH_ASSETS names no folder with {path.name}")
