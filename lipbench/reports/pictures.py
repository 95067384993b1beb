"""A figure on the page, with its files beside it."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from lipbench.reports.drawing.style import PAGE, Drawing

Press = Callable[[Drawing, Path], None]
ENDINGS = ["csv", "png", "svg", "pdf"]


@dataclass(frozen=True)
class Picture:
    """A figure that was sent to the press.

    Attributes:
        name: what it shows, such as ``fid-steps``.
        stem: the path of its files, without their ending.
        text: what it shows, in words.
        wide: whether it takes the width of a page.
    """

    name: str
    stem: Path
    text: str
    wide: bool

    def file(self, ending: str) -> Path:
        """One of its files."""
        return self.stem.with_name(f"{self.stem.name}.{ending}")

    @property
    def files(self) -> dict[str, str]:
        """What its files are called, and where they are, from the page."""
        folder = self.stem.parent.name
        return {("data" if end == "csv" else end.upper()): f"{folder}/{self.file(end).name}" for end in ENDINGS}


def publish(press: Press, drawings: dict[str, Drawing], folder: Path, suffix: str) -> list[Picture]:
    """Send drawings to the press.

    Args:
        press: writes a drawing to the files of a path without ending, sooner or later.
        drawings: by name.
        folder: where the files go.
        suffix: of their names, that of what is shown.
    """
    pictures = []
    for name, drawing in drawings.items():
        stem = folder / f"{name}-{suffix}"
        press(drawing, stem)
        pictures.append(Picture(name, stem, drawing.text, bool(drawing.figure.get_figwidth() >= PAGE)))
    return pictures


def embedded(png: Path) -> str:
    """A picture as a URL that holds it, compressed for the eye: a page of a thousand runs stays below 15 MB."""
    file = BytesIO()
    with Image.open(png, formats=["PNG"]) as picture:
        picture.convert("RGB").save(file, "WebP", quality=90, method=2)
    return "data:image/webp;base64," + b64encode(file.getvalue()).decode()
