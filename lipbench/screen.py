"""What the commands print."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lipbench import protocol, registry, store
from lipbench.errors import LipbenchError, StoreError
from lipbench.runner.display import STYLES
from lipbench.store import RunFolder, Status

if TYPE_CHECKING:
    from lipbench.api import Request
    from lipbench.evaluation import Prepared
    from lipbench.reports.page import Report
    from lipbench.runner.launch import Summary

# What fits a terminal of 80 columns; the page and the tables have the rest.
TERMINAL = ["method", "n", "diverged", "unfinished", "FID", "KID", "Inception Score", "‖∇score‖ max", "ms/step"]
NOTHING = {"unfinished": "0", "Inception Score": "–"}  # what a column shows that has nothing to say


def _line(console: Console, text: str, style: str | None = None) -> None:
    """Print a line as it is: no markup, no breaking of paths."""
    console.print(Text(text, style=style or ""), soft_wrap=True)


def show_plan(console: Console, request: "Request", results: Path) -> None:
    """The runs of a request and how they stand."""
    table = Table("run", "method", "data set", "seed", "steps", "state", box=None, pad_edge=False)
    for planned in request.planned:
        cell = planned.cell
        folder = RunFolder(results / "runs" / cell.run_id)
        state = str(folder.status()) if folder.file("cell.json").exists() else "new"
        steps = str(cell.protocol.train.steps)
        table.add_row(cell.run_id, Text(cell.method), Text(str(cell.dataset)), str(cell.seed), steps, state)
    console.print(table)
    _line(console, f"{len(request.planned)} runs, {request.jobs} at a time; nothing was started (--dry-run)")


def show_summary(console: Console, summary: "Summary", results: Path) -> None:
    """The last lines of a run: what was done, what failed and why."""
    for name, reason in summary.reasons.items():
        status = summary.statuses[name]
        _line(console, f"{status}: {name}: {reason}", STYLES[status])
    counts = [f"{summary.count(status)} {status}" for status in Status if summary.count(status)]
    skipped = f" ({len(summary.skipped)} finished before)" if summary.skipped else ""
    _line(console, f"{len(summary.statuses)} runs in {results}: {', '.join(counts)}{skipped}", "bold")
    again = "" if summary.complete else "Failed runs are tried again by the same command. "
    option = "" if str(results) == "results" else f" --results {results}"
    _line(console, f"{again}Next: lipbench report{option}")


def show_report(console: Console, report: "Report") -> None:
    """The summary table, what was left out, and where the page is."""
    for title, summary in report.summaries:
        _line(console, title, "bold")
        shown = [column for column in TERMINAL if (summary[column] != NOTHING.get(column)).any()]
        _line(console, summary[shown].to_string(index=False))
        console.print()
    for problem in report.problems:
        _line(console, f"Warning: {problem}", "yellow")
    _line(console, str(report.page))


def show_status(console: Console, results: Path) -> None:
    """How every run stands: counts by method and data set, and whatever is not finished."""
    from lipbench import cell as cells

    counts: dict[tuple[str, str, str], dict[Status, int]] = {}
    unfinished: list[tuple[Status, str]] = []
    for folder in store.runs(results):
        try:
            cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
            status = folder.status()
            group = counts.setdefault((cell.method, str(cell.dataset), cell.protocol.name), {})
            group[status] = group.get(status, 0) + 1
            if status is not Status.DONE:
                unfinished.append((status, f"{folder.id}: {_where(folder, status, cell.protocol.train.steps)}"))
        except StoreError as error:
            unfinished.append((Status.FAILED, f"{folder.id}: {error}"))
    table = Table("method", "data set", "protocol", *map(str, Status), box=None, pad_edge=False)
    for key, group in sorted(counts.items()):
        table.add_row(*map(Text, key), *(str(group.get(status, "")) for status in Status))
    console.print(table)
    for status, text in unfinished:
        _line(console, f"{status}: {text}", STYLES[status])


def _where(folder: RunFolder, status: Status, steps: int) -> str:
    """How far a run is, or why it stopped."""
    error = folder.read_json("error.json")
    if error is not None and status in (Status.FAILED, Status.DIVERGED):
        return f"{error.get('message')} ({error.get('kind')}, attempt {error.get('attempt')})"
    trace = folder.trace()[0]
    return f"evaluated at step {trace[-1]['step']} of {steps}" if trace else f"not yet evaluated, of {steps} steps"


def show_run(console: Console, folder: RunFolder) -> None:
    """One run, from what was asked to what came of it."""
    from lipbench import cell as cells

    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    status = folder.status()
    _line(console, f"{folder.id}: {status}", STYLES[status])
    _line(console, f"{folder.path}", "dim")
    asked = {
        "method": cell.method,
        "data set": str(cell.dataset),
        "seed": cell.seed,
        "protocol": f"{cell.protocol.name} ({cell.comparison}, {cell.settings} settings)",
        "architecture": cell.architecture.name,
        "loss": cell.protocol.loss,
        **{f"train.{key}": value for key, value in cell.protocol.train.model_dump().items()},
        **{f"evaluate.{key}": value for key, value in cell.protocol.evaluate.model_dump().items()},
    }
    _block(console, "asked", asked)
    _block(console, "environment", folder.read_json("environment.json") or {})
    _block(console, "result", folder.read_json("result.json") or {})
    error = folder.read_json("error.json")
    if error is not None:
        trace = error.pop("traceback", None)
        _block(console, "error", error)
        if trace:
            console.print(Padding(Text(trace), (0, 0, 0, 2)))
    problem = folder.trace()[1]
    if problem:
        _line(console, f"Warning: {problem}", "yellow")


def _block(console: Console, title: str, values: dict[str, object]) -> None:
    if not values:
        return
    _line(console, f"\n{title}", "bold")
    width = max(map(len, values))
    for key, value in values.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        _line(console, f"  {key:<{width}}  {text}")


def show_prepared(console: Console, ready: "list[Prepared]") -> None:
    """What is ready, a line a data set."""
    for item in ready:
        shape = "×".join(map(str, item.shape))
        _line(
            console,
            f"{item.dataset}: {item.train:,} pictures to train with and {item.held_out:,} held out, {shape}; "
            f"{item.real:,} real ones measured by {item.extractor}",
        )


def show_note(console: Console, text: str) -> None:
    """What a reader of the numbers must know."""
    _line(console, f"Note: {text}", "yellow")


def show_scores(console: Console, records: list[dict[str, Any]]) -> None:
    """What each subject scores, a block each, and below it what a reader must know."""
    for record in records:
        _line(console, str(record["subject"]), "bold")
        score = record["inception_score"]
        rows = {
            "FID": f"{record['fid']:.4f}",
            "KID": f"{record['kid_mean']:.6f} ± {record['kid_std']:.6f} over subsets",
            "Inception Score": "–"
            if score is None
            else f"{score:.4f} ± {record['inception_score_std']:.4f} over splits",
            "pictures": f"{record['samples']:,} against {record['real_samples']:,} of {record['against']}",
            "extractor": record["extractor"],
            "comparable": f"with scores of the same id, {record['protocol']}",
        }
        for key, value in rows.items():
            _line(console, f"  {key:<16} {value}")
        for note in record["notes"]:
            show_note(console, note)


def show_cost(console: Console, records: list[dict[str, Any]]) -> None:
    """A row a method and engine: time and operations of each part of a training step."""
    heads = ["method", "engine", "critic ms", "×", "passes", "generator ×", "passes", "step ms", "×", "MiB"]
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head in ("method", "engine") else "right", no_wrap=head == "engine")
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for record in records:
        rows.setdefault((record["method"], record["engine"]), {})[record["part"]] = record
    for (method, engine), parts in rows.items():
        critic, generator, iteration = (parts[part] for part in ("critic", "generator", "iteration"))
        table.add_row(
            Text(method),
            engine,
            f"{1e3 * critic['seconds']:.4g}",
            f"{critic['ratio_to_none']:.2f}",
            f"{critic['forward_equivalents']:.2f}",
            f"{generator['ratio_to_none']:.2f}",
            f"{generator['forward_equivalents']:.2f}",
            f"{1e3 * iteration['seconds']:.4g}",
            f"{iteration['ratio_to_none']:.2f}",
            f"{iteration['peak_memory_bytes'] / 2**20:.0f}",
        )
    first = records[0]
    _line(
        console,
        f"{first['architecture']}, batch {first['batch_size']}, {first['precision']}, {first['device']}, "
        f"torch {first['torch']}",
        "bold",
    )
    console.print(table)
    _line(console, "×: time in that of none. passes: the critic's work, in forward passes over the same images.", "dim")


def show_protocols(console: Console) -> None:
    """Every protocol that comes with lipbench: its first line, and what it says in short."""
    for name in protocol.named():
        data = protocol.read(name)
        settings = protocol.check(data, {})
        train, measured = settings.train, settings.evaluate
        own = data.get("recommended", {})
        real = f"{measured.real_samples:,}" if measured.real_samples else "all"
        lines = [
            protocol.text(name).partition("\n")[0].removeprefix("# "),
            f"{settings.datasets}, {settings.architecture}, {settings.loss} loss, {train.steps:,} steps of "
            f"{train.critic_steps} critic step{'s' * (train.critic_steps != 1)}",
            f"batch {train.batch_size}/{train.generator_batch_size} and learning rate {train.learning_rate:g}/"
            f"{train.generator_learning_rate:g} (critic/generator), decay {train.decay}, EMA {train.ema_decay:g}",
            f"{measured.samples:,} pictures against {real} of the {measured.split} split by {measured.extractor}",
            f"recommended settings for {', '.join(own)}" if own else "",
        ]
        _line(console, name, "bold")
        for line in filter(None, lines):
            _line(console, f"    {line}")
        console.print()
    _line(console, "`lipbench protocols NAME` prints one as TOML; a file of your own is run by --protocol ./mine.toml")


def show_plugins(console: Console, kind: registry.Kind) -> None:
    """Every installed plugin, as its file describes it."""
    for name, places in registry.installed(kind).items():
        for found in places:
            twice = "  (defined twice: uninstall or rename one)" if len(places) > 1 else ""
            _line(console, name + twice, "bold")
            try:
                card = found.card()
            except LipbenchError as error:
                _line(console, f"    {error}", "red")
                continue
            lines = {"": card.summary, **card.fields}
            if kind is registry.METHOD:
                lines["guarantee"] = str(card.constants.get("guarantee", "none"))
            lines["parameters"] = ", ".join(map(str, card.parameters)) or "none"
            for key, value in lines.items():
                _line(console, f"    {key + ': ' if key else ''}{value}")
            console.print()
