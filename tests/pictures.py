"""Files of pictures for tests."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def noise(*shape: int, seed: int = 0) -> Any:
    """Bytes."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, pixels: Any, **options: Any) -> None:
    """Write a picture; its ending decides the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
