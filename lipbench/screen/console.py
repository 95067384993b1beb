"""A console on which no text governs the terminal, and which ends in order where it cannot write."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from lipbench import terminal


class PlainConsole(Console):
    """Shows control characters of any text as `terminal.visible` spells them; rich's own pass."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Every piece of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(terminal.visible(segment.text), segment.style)

    @property
    def file(self) -> Any:
        """Where it writes."""
        return _Written(super().file)

    @file.setter
    def file(self, new: Any) -> None:
        self._file = new


class _Written:
    """A stream that is written to as `terminal.written` says."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with terminal.written():
            return int(self._stream.write(text))

    def flush(self) -> None:
        with terminal.written():
            self._stream.flush()
