"""The summary as Markdown and LaTeX."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from lipbench.api import running
from lipbench.reports.facts import Facts
from lipbench.reports.statistics.intervals import known
from lipbench.reports.tables import latex, markdown

FACTS = Facts("digits: protocol 50 %", ["20 generator steps", "protocol id a8896782"], ["FID is unstable."])


def table(*methods: str) -> pd.DataFrame:
    columns = {"n": "2", "FID": "3.58 ± 0.47", "KID": "-0.1", "Inception Score": "–", "‖∇score‖ max": "0.99"}
    return pd.DataFrame([{"method": method, **columns} for method in methods])


def test_markdown_is_a_pipe_table_under_its_facts() -> None:
    assert markdown(table("gn"), FACTS) == (
        "digits: protocol 50 %; 20 generator steps; protocol id a8896782. "
        "Means over n seeds ± half of the 95 % t-interval. FID is unstable.\n"
        "\n"
        "| method | n | FID | KID | Inception Score | ‖∇score‖ max |\n"
        "| --- | --: | --: | --: | --: | --: |\n"
        "| `gn` | 2 | 3.58 ± 0.47 | -0.1 | – | 0.99 |\n"
    )


@pytest.mark.parametrize(
    ("method", "cell"),
    [("a|b", r"`a\|b`"), ("my_50%_gp[weight=1.0]", "`my_50%_gp[weight=1.0]`"), ("a`b", "`` a`b ``"), ("a\nb", "`a b`")],
)
def test_no_name_breaks_out_of_its_cell(method: str, cell: str) -> None:
    assert markdown(table(method), FACTS).splitlines()[-1].startswith(f"| {cell} | 2 |")


def test_latex_is_a_booktabs_table_with_mathematics() -> None:
    assert latex(table("my_50%_gp[weight=1.0]", r"#a\&$~^{}"), FACTS) == (
        "% digits: protocol 50 %; 20 generator steps; protocol id a8896782. "
        "Means over n seeds ± half of the 95 % t-interval. FID is unstable.\n"
        "% Needs \\usepackage{booktabs}. To the width of the text, with graphicx: "
        "\\resizebox{\\linewidth}{!}{\\input{...}}\n"
        "\\begin{tabular}{lrrrrr}\n"
        "\\toprule\n"
        "method & n & FID & KID & Inception Score & $\\|\\nabla$score$\\|$ max \\\\\n"
        "\\midrule\n"
        "\\texttt{my\\_50\\%\\_gp[weight=1.0]} & $2$ & $3.58 \\pm 0.47$ & $-0.1$ & -- & $0.99$ \\\\\n"
        "\\texttt{\\#a\\textbackslash{}\\&\\textdollar{}\\textasciitilde{}\\textasciicircum{}\\{\\}}"
        " & $2$ & $3.58 \\pm 0.47$ & $-0.1$ & -- & $0.99$ \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )


def test_a_measure_of_which_nothing_is_known_is_left_out() -> None:
    assert list(known(table("gn", "wc")).columns) == ["method", "n", "FID", "KID", "‖∇score‖ max"]
    partly = table("gn", "wc")
    partly.loc[0, "Inception Score"] = "9.4"
    assert "Inception Score" in known(partly)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX")
def test_latex_typesets_every_table_of_a_report_whatever_methods_are_called(tmp_path: Path) -> None:
    names = [
        "gn",
        "./my_50%_gp[weight=1.0]",
        "[a]",
        r"#a\\&$~^{}<>|",
        "模型_\N{PILE OF POO}",
        "x−y±‖∇‖ ðþ«q»",
        "ä`é\"'",
    ]
    rows = [
        f'"{name.replace(chr(34), chr(34) * 2)}",{data},{seed},mine_1%,{seed + 1 + place},2,900,{place + 1},1e8,cpu'
        for place, name in enumerate(names)
        for data in ("a_b", "c", "d", "e", "f")
        for seed in range(3)
    ]
    header = "method,dataset,seed,protocol,fid,fid_real,fid_noise,seconds_train,peak_memory_bytes,device"
    (tmp_path / "runs.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    running.report(tmp_path, tmp_path / "out", baseline="[a]", add=tmp_path / "runs.csv")
    tables = sorted((tmp_path / "out" / "tables").glob("*.tex"))
    assert len(tables) == 5 * 3 + 2
    inputs = "".join(rf"\resizebox{{\linewidth}}{{!}}{{\input{{{path.as_posix()}}}}}\clearpage" for path in tables)
    (tmp_path / "text.tex").write_text(
        rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{inputs}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "text.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Missing character" not in (tmp_path / "text.log").read_text(encoding="latin-1")
