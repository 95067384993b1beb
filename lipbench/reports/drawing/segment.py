"""The figure of an audit: a critic's score along a segment, and where it is steepest."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lipbench.reports.audit_words import segment
from lipbench.reports.drawing.looks import BLUE, GREY
from lipbench.reports.drawing.style import HEIGHT, PAGE, Drawing, drawable, style


def draw_segment(record: dict[str, Any]) -> Drawing:
    """The whole segment beside its steepest place, as points: a line would bridge a jump; of a record of an audit."""
    drawn = record["segment"]
    parts = {"whole": (drawn["at"], drawn["value"]), "steepest place": (drawn["near_at"], drawn["near_value"])}
    with style():
        figure = Figure(figsize=(PAGE, HEIGHT))
        left, right = figure.subplots(1, 2)
        for axes, (at, value) in zip((left, right), parts.values(), strict=True):
            axes.plot(at, value, ".", color=BLUE, markersize=3)
            axes.set_xlabel(f"distance from the {drawn['from']} point")
            axes.ticklabel_format(useOffset=False)
        left.axvspan(drawn["near_at"][0], drawn["near_at"][-1], color=GREY, alpha=0.4, linewidth=0)
        left.set_title(f"from {drawn['from']} to {drawn['to']}")
        right.set_title("the grey strip")
        right.locator_params(axis="x", nbins=5)
        left.set_ylabel(drawable(f"score of {record['method']}") if record["score"] else "critic's value")
    data = pd.concat(
        [pd.DataFrame({"part": name, "distance": at, "value": value}) for name, (at, value) in parts.items()]
    )
    return Drawing(figure, segment(record), data)
