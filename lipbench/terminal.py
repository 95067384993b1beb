"""The terminal or pipe that is written to: no text stops it, governs it, or is taken for markup."""

import codecs
import errno
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

SPELT = {"×": "x", "±": "+/-", "·": "*", "−": "-", "–": "-", "‖": "||", "∇": "grad ", "→": "->", "≤": "<=", "≥": ">="}
HANDLER = "lipbench-spelt"
PIPE = 141  # the shell's code for SIGPIPE, as of other tools whose reader has seen enough
# What moves the cursor, rings, colours, or turns the direction of reading; bytes of that kind in a file's name, too.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\udc80-\udc9f]")
BREAK = re.compile("[\t\n]")


def write_anything() -> None:
    """Let standard output and error spell otherwise what their encoding lacks, instead of raising an error."""
    codecs.register_error(HANDLER, _spelt)
    for stream in (sys.stdout, sys.stderr):
        # Python's own ways; one that the user chose stays. A notebook's streams need none.
        if getattr(stream, "errors", None) in ("strict", "surrogateescape", "backslashreplace"):
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors=HANDLER)


def console() -> "Console":
    """A console for text as it is, on standard output."""
    from lipbench.console import PlainConsole

    write_anything()
    return PlainConsole(visible, written)


def say(text: str, *, error: bool = False) -> None:
    """Write text, of one line or several, to standard output or error."""
    import click

    with written():
        click.echo(visible(text), err=error)


def visible(text: str) -> str:
    """The text with what would govern a terminal spelt out as Python spells it; lines stay lines."""
    return CONTROL.sub(_named, text)


def one_line(text: str) -> str:
    """The text as `visible` gives it, on a single line."""
    return BREAK.sub(_named, visible(text))


@contextmanager
def written() -> Iterator[None]:
    """Write in this block: where nobody reads on the process ends quietly, and where it cannot it says why."""
    try:
        yield
    except OSError as problem:
        _silence()
        if problem.errno == errno.EPIPE:
            sys.exit(PIPE)
        with suppress(OSError, AttributeError, ValueError):
            sys.stderr.write(f"Error: standard output cannot be written to: {problem.strerror}; write elsewhere\n")
            sys.stderr.flush()
        sys.exit(2)


def open_standard_files() -> None:
    """Give the process those of its standard files that are closed, lest the next file that it opens becomes one."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _silence() -> None:
    """Drop what is still to be written, so that the interpreter does not try again at its end."""
    with suppress(OSError, AttributeError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)


def _named(found: re.Match[str]) -> str:
    letter = found[0]
    return f"\\x{ord(letter) - 0xDC00:02x}" if letter >= "\udc80" else letter.encode("unicode_escape").decode()


def _spelt(error: UnicodeError) -> tuple[str | bytes, int]:
    """The nearest text in ASCII for one character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character, after = error.object[error.start], error.start + 1
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name, which Python keeps so
        return bytes([ord(character) - 0xDC00]), after
    nearest = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return SPELT.get(character) or nearest or ("" if unicodedata.combining(character) else "?"), after
