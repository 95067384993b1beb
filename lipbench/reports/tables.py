"""A table to put into a text: Markdown and LaTeX, and its numbers as CSV."""

import re
import unicodedata
from pathlib import Path

import pandas as pd

from lipbench.disk.files import write_atomically
from lipbench.reports import sheets
from lipbench.reports.facts import Facts
from lipbench.terminal import one_line

USE = r"""% Needs \usepackage{booktabs}. To the width of the text, with graphicx: \resizebox{\linewidth}{!}{\input{...}}
"""
LATIN = 0x100
SYMBOLS = {
    **{letter: rf"\{letter}" for letter in "&%#_{}"}, "$": r"\textdollar{}", "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "±": r"$\pm$", "−": "$-$", "–": "--", "‖": r"$\|$", "∇": r"$\nabla$", "₁": "$_1$",
}  # fmt: skip


def write(shown: pd.DataFrame, numbers: pd.DataFrame, facts: Facts, stem: Path) -> None:
    """Write a table as ``.md`` and ``.tex``, and its numbers as ``.csv``.

    Args:
        shown: the table for people, ``method`` first.
        numbers: the same to compute with.
        facts: of its comparison.
        stem: the path of the files, without their ending.

    Raises:
        StoreError: a file cannot be written.
    """
    texts = {"csv": sheets.to_csv(numbers), "md": markdown(shown, facts), "tex": latex(shown, facts)}
    for ending, text in texts.items():
        write_atomically(stem.with_name(f"{stem.name}.{ending}"), text)


def markdown(shown: pd.DataFrame, facts: Facts) -> str:
    """A table for people, ``method`` first, with pipes and under one line of facts."""
    lines = [[_cell(_inert(str(title))) for title in shown.columns], ["---", *["--:"] * (shown.shape[1] - 1)]]
    lines += [
        [_code(row[0]), *(_cell(_inert(str(value))) for value in row[1:])] for row in shown.itertuples(index=False)
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{_inert(facts.caption)}\n\n{table}"


def latex(shown: pd.DataFrame, facts: Facts) -> str:
    r"""A table for people, ``method`` first, by booktabs and under its facts, ready for ``\input``."""
    styler = shown.style.hide(axis="index").format(_number).format_index(lambda title: _tex(str(title)), axis=1)
    # In braces, so that no bracket of a name is taken for an option of the \\ before it.
    styler = styler.format(lambda method: rf"\texttt{{{_tex(str(method))}}}", subset=["method"])
    table = styler.to_latex(hrules=True, column_format="l" + "r" * (shown.shape[1] - 1))
    return f"% {facts.caption}\n{USE}{table}"


def _code(method: str) -> str:
    """A name as code, so that its underscores and brackets are no markup; a pipe would end the cell."""
    fence = "`" * (1 + max(map(len, re.findall("`+", method)), default=0))
    space = " " if "`" in method else ""
    return _cell(f"{fence}{space}{method}{space}{fence}")


def _cell(text: str) -> str:
    """Text that does not end its cell or row."""
    return one_line(" ".join(text.replace("|", r"\|").splitlines()))


def _inert(text: str) -> str:
    """Text in which no tag of HTML begins."""
    return one_line(re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text))


def _number(value: object) -> str:
    """A measured number in mathematics, and what is not a number as text."""
    text = str(value)
    if not re.fullmatch(r"-?\d[-+\d.,e±/\s\[\]]*", text):
        return _tex(text)
    return "$" + re.sub(r"(?<=\d),(?=\d{3})", "{,}", text).replace("±", r"\pm") + "$"


def _tex(text: str) -> str:
    """Text as it is, whatever is in it; letters that pdflatex does not know are escaped as Python escapes them."""
    known = "".join(letter if _typeset(letter) else letter.encode("unicode_escape").decode() for letter in text)
    return "".join(SYMBOLS.get(letter, letter) for letter in known).replace("$$", "")


def _typeset(letter: str) -> bool:
    """Whether pdflatex has it without further packages: ASCII, symbols that are written out, accents over letters."""
    accented = ord(letter) < LATIN and unicodedata.decomposition(letter)[:1] not in ("", "<")
    return letter in SYMBOLS or accented or (letter.isascii() and letter.isprintable())
