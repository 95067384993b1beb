"""Writes the page of an audit: one file that needs no network, its figure beside it, and the record."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lipbench.disk.files import to_json, write_atomically
from lipbench.errors import RequestError
from lipbench.reports import audit_words, folder, pictures
from lipbench.reports.drawing.press import press
from lipbench.reports.drawing.segment import draw_segment

RECORD, PAGE = "audit.json", "index.html"


def check(out: Path, results: Path) -> None:
    """See that a page has a place, before anything is measured.

    Args:
        out: its folder; it is made.
        results: the results folder.

    Raises:
        RequestError: it cannot be made, or something else is there.
    """
    folder.check(out, results, "--page")
    try:
        (out / folder.FIGURES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(
            f"the page's folder {str(out)!r} cannot be made: {error.strerror}; expected another by --page"
        ) from None
    if (out / PAGE).exists() and not (out / RECORD).exists():
        raise RequestError(
            f"{str(out / PAGE)!r} is there, and is no page of an audit; expected another folder by --page"
        )


def write(record: dict[str, Any], out: Path) -> Path:
    """Write the page of a record in a folder that was checked; gives its path.

    Raises:
        StoreError: it cannot be written.
    """
    drawn = []
    if record["segment"] is not None:
        with press(0) as send:
            drawn = pictures.publish(send, {"segment": draw_segment(record)}, out / folder.FIGURES, "audit")
    environment = Environment(
        loader=PackageLoader("lipbench.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["embedded"] = pictures.embedded
    page = environment.get_template("audit.html.j2").render(
        record=record,
        words=audit_words,
        pictures=drawn,
        style=Markup(environment.get_template("page.css").render()),  # our own file, not a user's text
    )
    write_atomically(out / RECORD, to_json(record))
    write_atomically(out / PAGE, page)
    return out / PAGE
