"""The look of every figure, and the files that it becomes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from lipbench.disk.files import write_atomically

FONT = "DejaVu Sans"  # comes with matplotlib: the same figure everywhere
COLUMN, PAGE = 3.25, 6.75  # inches: a column and the text of a page of a conference's paper
HEIGHT = 2.3  # of a panel
LETTER = 0.062  # inches, in a legend
# Nothing of the moment of drawing, so that the same runs give the same bytes.
METADATA = {"png": {"Software": "lipbench"}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


class Drawing(NamedTuple):
    """A figure, what it shows in words for those who cannot see it, and the numbers that are drawn."""

    figure: Figure
    text: str
    data: pd.DataFrame


@contextmanager
def style() -> Iterator[None]:
    """The look of every figure, without touching anyone's global settings."""
    look: Any = sns.axes_style("whitegrid") | {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 8,
        "axes.titley": 1.0,  # nothing is above: no search for what a title might cover
        "font.family": FONT,
        "font.size": 8,
        "axes.labelsize": 8,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "lines.linewidth": 1.2,
        "grid.linewidth": 0.6,
        "axes.linewidth": 0.8,
        "pdf.fonttype": 42,  # fonts that journals take and editors can edit
        "savefig.dpi": 300,
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
        if any(axes.get_subplotspec() for axes in figure.axes):  # others are placed by hand
            ConstrainedLayoutEngine().execute(figure)
        for ending, metadata in METADATA.items():
            file = BytesIO()
            # Half the time of the usual level, for a tenth more bytes.
            options: dict[str, Any] = {"pil_kwargs": {"compress_level": 3}} if ending == "png" else {}
            figure.savefig(file, format=ending, metadata=metadata, **options)
            write_atomically(stem.with_name(f"{stem.name}.{ending}"), file.getvalue())


def sheet(width: float, methods: Iterable[str]) -> Figure:
    """A figure with a row of panels, and room below them for the names of all methods.

    Args:
        width: in inches; a name that is longer makes it wider.
        methods: what the legend will name, in its order.
    """
    names = [drawable(method) for method in methods]
    width = max(width, _needed(names, 1))
    rows = -(-len(names) // _abreast(width, names))
    return Figure(figsize=(width, HEIGHT + 0.13 * rows + 0.1))


def rows_sheet(width: float, methods: Iterable[str], row: float) -> Figure:
    """A figure with a row a method, whose names stand at the left: a name that is long makes it wider.

    Args:
        width: in inches.
        methods: the rows.
        row: their height in inches.
    """
    names = [drawable(method) for method in methods]
    width = max(width, LETTER * max(map(len, names)) + width / 2)
    return Figure(figsize=(width, max(1.2, row * len(names) + 0.6)))


def legend(figure: Figure, lines: dict[str, Line2D]) -> None:
    """Name the lines below all panels."""
    names = [drawable(name) for name in lines]
    # Named one by one: matplotlib itself leaves out a line whose name begins with an underscore.
    figure.legend(
        list(lines.values()), names, loc="outside lower center", ncols=_abreast(figure.get_figwidth(), names),
        handlelength=1.8, columnspacing=1, borderaxespad=0.2, labelspacing=0.25,
    )  # fmt: skip


def _abreast(width: float, names: list[str]) -> int:
    """How many names of a legend fit side by side."""
    return next((count for count in range(len(names), 1, -1) if _needed(names, count) <= width), 1)


def _needed(names: list[str], abreast: int) -> float:
    """The width of a legend in inches, each of its columns as wide as its longest name."""
    rows = -(-len(names) // abreast)
    columns = [names[start : start + rows] for start in range(0, len(names), rows)]
    return sum(0.42 + LETTER * max(map(len, column)) for column in columns)


def drawable(text: str) -> str:
    r"""`text` with characters for which the font has no glyph written as escapes, such as ``\u4e2d``."""
    return "".join(letter if ord(letter) in _glyphs() else letter.encode("unicode_escape").decode() for letter in text)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())


def plain_log(axis: Axis) -> None:
    """Make an axis logarithmic, with numbers as people write them, also between powers of ten."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})  # type: ignore[attr-defined]
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def _plain(value: float, _: int | None) -> str:
    return f"{value:g}"  # not a lambda: figures go to other processes
