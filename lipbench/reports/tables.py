"""The summary of a comparison as a table to put into a text: Markdown and LaTeX."""

import re

import pandas as pd

from lipbench.reports.facts import Facts

USE = r"""% Needs \usepackage{booktabs}. To the width of the text, with graphicx: \resizebox{\linewidth}{!}{\input{...}}
"""


def markdown(shown: pd.DataFrame, facts: Facts) -> str:
    """A pipe table under one line of facts.

    Args:
        shown: the table for people, ``method`` first.
        facts: of its comparison.
    """
    methods = [_code(method) for method in shown["method"]]
    lines = [list(shown.columns), ["---", *["--:"] * (shown.shape[1] - 1)]]
    lines += [[method, *row[1:]] for method, row in zip(methods, shown.itertuples(index=False), strict=True)]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{facts.caption}\n\n{table}"


def latex(shown: pd.DataFrame, facts: Facts) -> str:
    r"""A booktabs table, ready for ``\input``.

    Args:
        shown: the table for people, ``method`` first.
        facts: of its comparison.
    """
    styler = shown.style.hide(axis="index").format(_number).format_index(_header, axis=1)
    # In braces, so that no bracket of a name is taken for an option of the \\ before it.
    styler = styler.format(r"\texttt{{{}}}", subset=["method"], escape="latex")
    table = styler.to_latex(hrules=True, column_format="l" + "r" * (shown.shape[1] - 1))
    return f"% {facts.caption}\n{USE}{table}"


def _code(method: str) -> str:
    """A name as code, so that its underscores and brackets are no markup; a pipe would end the cell."""
    fence = "`" * (1 + max(map(len, re.findall("`+", method)), default=0))
    space = " " if "`" in method else ""
    return f"{fence}{space}{method}{space}{fence}".replace("|", r"\|")


def _number(value: object) -> str:
    """A measured number in mathematics, and what is not a number as it is."""
    text = str(value)
    return "$" + text.replace("±", r"\pm") + "$" if re.match(r"-?\d", text) else text.replace("–", "--")


def _header(title: object) -> str:
    return re.sub(r"‖∇(\w+)‖", r"$\\|\\nabla\\,\\mathrm{\1}\\|$", str(title))
