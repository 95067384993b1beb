"""The figure of ``lipbench cost``: how much dearer each method is than no constraint."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lipbench.reports.drawing.looks import looks
from lipbench.reports.drawing.style import PAGE, drawable, style

PARTS = {"critic": "critic step", "generator": "generator step", "iteration": "whole iteration"}


def draw_cost(records: list[dict[str, Any]]) -> Figure:
    """A panel a part, a bar a method and engine, as long as its ratio to ``none``; of records of `lipbench.cost`."""
    table = pd.DataFrame(records)
    table["label"] = [_label(row) for row in records]
    order = list(dict.fromkeys(table["label"]))
    known = looks(table["method"])
    with style():
        figure = Figure(figsize=(PAGE, 0.2 * len(order) + 0.9))
        for axes, (part, title) in zip(figure.subplots(1, 3, sharey=True), PARTS.items(), strict=True):
            rows = table[table["part"] == part].set_index("label").loc[order]
            colours = [known[method].colour for method in rows["method"]]
            bars = axes.barh([drawable(label) for label in order], rows["ratio_to_none"], color=colours, alpha=0.7)
            axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=6)
            axes.axvline(1, color="0.3", linestyle="--", linewidth=1)
            axes.set(title=title, xlabel="time, none = 1", xlim=(0, 1.25 * rows["ratio_to_none"].max()))
            axes.grid(axis="y", visible=False)
        axes.invert_yaxis()
        first, shape = records[0], "×".join(map(str, records[0]["shape"]))
        figure.suptitle(
            f"{first['architecture']}, {shape}, batch {first['batch_size']}, {first['precision']}, {first['device']}",
            x=0.01, ha="left", fontsize=8,
        )  # fmt: skip
    return figure


def _label(record: dict[str, Any]) -> str:
    return record["method"] if record["engine"] == "plain" else f"{record['method']}, {record['engine']}"
