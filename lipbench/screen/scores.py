"""Scores, costs, and what was made ready for them."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from lipbench.screen.lines import open_table, print_line

if TYPE_CHECKING:
    from lipbench.work.prepare import Prepared


def show_prepared(console: Console, ready: "list[Prepared]") -> None:
    """What is ready, a line a data set."""
    for item in ready:
        shape = "×".join(map(str, item.shape))
        print_line(
            console,
            f"{item.dataset}: {item.train:,} pictures to train with and {item.held_out:,} held out, {shape}; "
            f"{item.real:,} real ones measured by {item.extractor}",
        )


def show_note(console: Console, text: str) -> None:
    """What a reader of the numbers must know."""
    print_line(console, f"Note: {text}", "yellow")


def show_scores(console: Console, records: list[dict[str, Any]]) -> None:
    """What each subject scores, a block each, and below it what a reader must know."""
    for record in records:
        print_line(console, str(record["subject"]), "bold")
        score = record["inception_score"]
        rows = {
            "FID": f"{record['fid']:.4f}",
            "KID": f"{record['kid_mean']:.6f} ± {record['kid_std']:.6f} over subsets",
            "Inception Score": "–"
            if score is None
            else f"{score:.4f} ± {record['inception_score_std']:.4f} over splits",
            **{column: f"{value:.6g}" for column, value in record["measures"].items()},
            "pictures": f"{record['samples']:,} against {record['real_samples']:,} of {record['against']}",
            "extractor": record["extractor"],
            "comparable": f"with scores of the same id, {record['comparable']}",
        }
        for key, value in rows.items():
            print_line(console, f"  {key:<16} {value}")
        for note in record["notes"]:
            show_note(console, note)


def show_cost(console: Console, records: list[dict[str, Any]]) -> None:
    """A row a method and engine: time and operations of each part of a training step."""
    heads = ["method", "engine", "critic ms", "×", "passes", "generator ×", "passes", "step ms", "×", "MiB"]
    has_graphs = any(record["part"] == "graph" for record in records)
    heads += ["graph ms", "×"] * has_graphs
    table = open_table()
    for head in heads:
        table.add_column(
            head, justify="left" if head in ("method", "engine") else "right", no_wrap=head == "engine", overflow="fold"
        )
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
            *(_of_graph(parts["graph"]) if has_graphs else ()),
        )
    first, shape = records[0], "×".join(map(str, records[0]["shape"]))
    print_line(
        console,
        f"{first['architecture']}, {shape}, batch {first['batch_size']}, {first['precision']}, {first['device']}, "
        f"torch {first['torch']}",
        "bold",
    )
    console.print(table)
    print_line(
        console, "×: time in that of none. passes: the critic's work, in forward passes over the same images.", "dim"
    )
    for record in records:
        if reason := record.get("cuda_graph_reason"):
            show_note(console, f"{record['method']} by {record['engine']} is no graph: {reason}.")


def _of_graph(record: dict[str, Any]) -> tuple[str, str]:
    """An iteration as a graph, if it is one."""
    if record["cuda_graph_reason"]:
        return "–", "–"
    return f"{1e3 * record['seconds']:.4g}", f"{record['ratio_to_none']:.2f}"
