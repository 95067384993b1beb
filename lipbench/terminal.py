"""The terminal or pipe that is written to: no text stops it, and no text of a user's is taken for markup."""

import codecs
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

SPELT = {"×": "x", "±": "+/-", "·": "*", "−": "-", "–": "-", "‖": "||", "∇": "grad ", "→": "->", "≤": "<=", "≥": ">="}
HANDLER = "lipbench-spelt"


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
    from rich.console import Console

    write_anything()
    return Console(markup=False, emoji=False, highlight=False)


def _spelt(error: UnicodeError) -> tuple[str | bytes, int]:
    """The nearest text in ASCII for one character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character, after = error.object[error.start], error.start + 1
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name, which Python keeps so
        return bytes([ord(character) - 0xDC00]), after
    nearest = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return SPELT.get(character) or nearest or ("" if unicodedata.combining(character) else "?"), after
