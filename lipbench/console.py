"""A console on which no text governs the terminal, and which ends in order where it cannot write."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

Writing = Callable[[], AbstractContextManager[None]]


class PlainConsole(Console):
    """Shows text as it is, without markup.

    Args:
        spell: shows the control characters of a text; rich's own pass.
        writing: a block in which something is written.
    """

    def __init__(self, spell: Callable[[str], str], writing: Writing) -> None:
        self._spell, self._writing = spell, writing
        super().__init__(markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Every piece of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(self._spell(segment.text), segment.style)

    @property
    def file(self) -> Any:
        """Where it writes."""
        return _Written(super().file, self._writing)

    @file.setter
    def file(self, new: Any) -> None:
        self._file = new


class _Written:
    """A stream that is written to in blocks."""

    def __init__(self, stream: Any, writing: Writing) -> None:
        self._stream, self._writing = stream, writing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._writing():
            return int(self._stream.write(text))

    def flush(self) -> None:
        with self._writing():
            self._stream.flush()
