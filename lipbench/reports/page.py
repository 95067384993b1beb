"""Writes a report: the table of runs, summaries, figures, and one page that needs no network."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from lipbench import __version__
from lipbench.errors import StoreError
from lipbench.reports import figures, frame, statistics
from lipbench.reports.frame import Frames
from lipbench.store import Status, write_atomically

SHOWN_COLUMNS = [
    "method", "seed", "status", "steps", "fid", "fid_best", "best_step", "kid", "inception_score",
    "grad_norm_mean", "grad_norm_max", "raw_grad_norm_mean", "seconds_per_step", "seconds_train", "run_id",
]  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        page: the path of ``index.html``.
        runs: the table of ``runs.csv``.
        summaries: title and summary table, for people, of each comparison.
        problems: what could not be read.
    """

    page: Path
    runs: pd.DataFrame
    summaries: list[tuple[str, pd.DataFrame]]
    problems: list[str]


@dataclass
class _Section:
    """One comparison on the page."""

    title: str
    facts: list[str]
    summary: pd.DataFrame
    pictures: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    unfinished: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    yardsticks: dict[str, Any] = field(default_factory=dict)


def write(results: Path, out: Path) -> Report:
    """Make the report on all runs below `results` in the folder `out`.

    Raises:
        StoreError: there are no runs, or `out` cannot be written to.
    """
    frames = frame.read(results)
    try:
        for folder in (out, out / "tables", out / "figures"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"report folder {str(out)!r} cannot be made: {error.strerror}; choose one by --out") from None
    write_atomically(out / "runs.csv", frames.runs[frame.COLUMNS].to_csv(index=False))
    sections = [_section(frames, runs, results, out) for _, runs in frames.runs.groupby("comparison_id", sort=True)]
    page = out / "index.html"
    write_atomically(page, _render(sections, frames))
    summaries = [(section.title, section.summary) for section in sections]
    return Report(page, frames.runs[frame.COLUMNS], summaries, frames.problems)


def _section(frames: Frames, runs: pd.DataFrame, results: Path, out: Path) -> _Section:
    name = str(runs["comparison_id"].iloc[0])
    first = runs.iloc[0]
    yardsticks = _yardsticks(results, name, frames.problems)
    numbers = statistics.summarise(runs)
    write_atomically(out / "tables" / f"summary-{name}.csv", numbers.to_csv(index=False))
    traces = frames.traces[frames.traces["comparison_id"] == name]
    extractor = runs["extractor"].dropna()
    facts = [
        f"{first['steps'] if runs['status'].eq('done').all() else runs['steps'].max()} generator steps",
        f"architecture {first['architecture']}",
        f"{first['loss']} loss" if runs["loss"].nunique() == 1 else "losses as recommended",
        f"{first['settings']} settings",
        f"{first['samples']} generated pictures against the {first['split']} split",
        f"extractor {extractor.iloc[0] if len(extractor) else 'not run yet'}",
        f"protocol id {first['comparison']}",
    ]
    section = _Section(
        title=f"{first['dataset']}: protocol {first['protocol']}",
        facts=facts,
        summary=statistics.for_people(numbers),
        yardsticks=yardsticks,
    )
    real = yardsticks.get("real", {}).get("fid")
    for key, (figure, text) in figures.draw(runs, traces, real).items():
        file = out / "figures" / f"{key}-{name}.png"
        write_atomically(file, _png(figure))
        section.pictures.append({"name": key, "data": _embed(file), "text": text})
    section.samples = _samples(frames, runs)
    if section.samples:
        grids = {sample["method"]: sample["path"] for sample in section.samples}
        write_atomically(out / "figures" / f"samples-{name}.png", _png(figures.samples(grids)))
    section.unfinished = _unfinished(runs)
    section.runs = [
        {column: _cell(row[column]) for column in SHOWN_COLUMNS}
        for _, row in runs.sort_values(["method", "seed"]).iterrows()
    ]
    return section


def _yardsticks(results: Path, name: str, problems: list[str]) -> dict[str, Any]:
    path = results / "yardsticks" / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {key: content[key] for key in ("real", "noise")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"the yardsticks in {path} are damaged ({error}); remove the file and run again")
        return {}


def _samples(frames: Frames, runs: pd.DataFrame) -> list[dict[str, Any]]:
    """A grid a method, all of the lowest seed that most methods have, so that they show the same latents."""
    have = runs[[frames.folders[run].file("samples.png").exists() for run in runs["run_id"]]]
    if have.empty:
        return []
    counts = have.groupby("seed")["method"].nunique()
    seed = counts[counts == counts.max()].index.min()
    return [
        {
            "method": row["method"],
            "seed": int(seed),
            "step": int(row["steps"]),
            "path": frames.folders[row["run_id"]].file("samples.png"),
            "data": _embed(frames.folders[row["run_id"]].file("samples.png")),
        }
        for _, row in have[have["seed"] == seed].sort_values("method").iterrows()
    ]


def _unfinished(runs: pd.DataFrame) -> list[dict[str, Any]]:
    others = runs[runs["status"] != Status.DONE]
    return [
        {"run": row["run_id"], "status": row["status"], "steps": row["steps"], "error": _cell(row["error"])}
        for _, row in others.iterrows()
    ]


def _render(sections: list[_Section], frames: Frames) -> str:
    environments, commands = [], []
    for folder in frames.folders.values():
        try:
            found = folder.read_json("environment.json")
        except StoreError as error:
            frames.problems.append(str(error))
            continue
        if found is not None:
            commands.append(" ".join(map(str, found.get("argv", []))))
            versions = ", ".join(f"{name} {version}" for name, version in found.get("versions", {}).items())
            threads = f"{found.get('threads')} thread" + "s" * (found.get("threads") != 1)
            environments.append(
                f"lipbench {found.get('lipbench')}, Python {found.get('python')}, {versions}; "
                f"{found.get('platform')}, {found.get('device')}, {threads}"
            )
    environment = Environment(
        loader=PackageLoader("lipbench.reports", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2").render(
        sections=sections,
        problems=frames.problems,
        environments=sorted(set(environments)),
        commands=sorted(set(commands)),
        version=__version__,
        style=Markup(environment.get_template("page.css").render()),  # our own file, not a user's text
        columns=SHOWN_COLUMNS,
        total=len(frames.runs),
    )


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _embed(path: Path) -> str:
    return "data:image/png;base64," + b64encode(path.read_bytes()).decode()


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
