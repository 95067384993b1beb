"""The look of every figure, and the files that it becomes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from lipbench.store import write_atomically

Colour = tuple[float, float, float]
FONT = "DejaVu Sans"  # comes with matplotlib: the same figure everywhere
# Nothing of the moment of drawing, so that the same runs give the same bytes.
METADATA = {"png": {"Software": "lipbench"}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def palette(methods: Sequence[str]) -> dict[str, Colour]:
    """A colour for each method, distinct for colour-blind readers up to ten."""
    names = sorted(set(methods))
    colours = sns.color_palette("colorblind" if len(names) <= 10 else "husl", len(names))
    return dict(zip(names, colours, strict=True))


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, without touching anyone's global settings."""
    look: Any = sns.axes_style("whitegrid") | {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.titley": 1.0,  # nothing is above: no search for what a title might cover
        "font.family": FONT,
        "font.size": 10,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "pdf.fonttype": 42,  # fonts that journals take and editors can edit
        "savefig.dpi": 160,
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "lipbench",
        "text.parse_math": False,  # a dollar sign in a method's name is a dollar sign
    }
    with mpl.rc_context(look):
        yield


def write(figure: Figure, stem: Path) -> None:
    """Write `figure` as ``.png``, ``.svg`` and ``.pdf``.

    Args:
        figure: drawn under `style`.
        stem: the path of the files, without their ending.

    Raises:
        StoreError: a file cannot be written.
    """
    with style():
        # Pixels pack by half at most, and packing those of a hundred methods takes as long as all other drawing.
        mpl.rcParams["pdf.compression"] = 0 if any(axes.images for axes in figure.axes) else 6
        # Laid out once, not by every format anew: one picture, in less than half of the time.
        ConstrainedLayoutEngine().execute(figure)
        for ending, metadata in METADATA.items():
            file = BytesIO()
            # Half the time of the usual level, for a tenth more bytes.
            options: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if ending == "png" else {}
            figure.savefig(file, format=ending, metadata=metadata, **options)
            write_atomically(stem.with_name(f"{stem.name}.{ending}"), file.getvalue())


def drawable(text: str) -> str:
    r"""`text` with characters for which the font has no glyph written as escapes, such as ``\u4e2d``."""
    return "".join(letter if ord(letter) in _glyphs() else letter.encode("unicode_escape").decode() for letter in text)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())


def plain_log(axis: Axis) -> None:
    """Numbers as people write them, also between powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float, _: int | None) -> str:
    return f"{value:g}"  # not a lambda: figures go to other processes
