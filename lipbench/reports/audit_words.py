"""An audit in tables and sentences, for the screen and the page alike."""

from itertools import pairwise
from typing import Any, NamedTuple

from lipbench.measures._slopes import DISTANCES, JUMP, JUMPS, at_least, at_most

UNKNOWN = "–"
RULES = (
    f"The Lipschitz constant lies between the steepest slope that was found (at a point, between two points, or along "
    f"the segment that is drawn) and the bound that was proven, whatever the points; a ratio of 1 would give it. "
    f"Jumps: beyond every gradient, the largest secant grows more than {JUMP:g}-fold from a distance of .01 to .001; "
    f"across a jump there is no finite constant. Continuous: a bound proves it. A search finds lower bounds: what was "
    f"not found may be there. TV gap: the part of the variation along segments that no gradient explains, 0 of a "
    f"continuous function."
)


class Table(NamedTuple):
    """Rows of text under heads; `words` are the columns that hold no numbers."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    words: tuple[int, ...]


def title(record: dict[str, Any]) -> str:
    """The critic in one line."""
    shape = "×".join(map(str, record["shape"]))
    score = f", score of {record['method']}" if record["score"] else ""
    return f"{record['subject']}{score}, {shape}, {record['parameters']:,} parameters"


def facts(record: dict[str, Any]) -> list[str]:
    """Where its weights and the points are from."""
    found = [f"weights: {record['weights']}"] if record["weights"] else []
    return [*found, f"points: {record['count']} at each place, {record['points']}; seed {record['seed']}"]


def verdict(record: dict[str, Any]) -> str:
    """The answer in a sentence."""
    seen = record["score"] or record["critic"]
    what = "score" if record["score"] else "critic"
    lower, shortest = at_least(seen["lower"]), number(seen["secants"]["0.001"])
    if seen["continuity"] == JUMPS:
        said = f"The {what} jumps: its largest secant grows as points come together, to {shortest} at .001."
    elif seen["upper"] is None:
        said = f"The {what} has a Lipschitz constant of at least {lower}; no upper bound is proven."
    else:
        said = f"The {what} has a Lipschitz constant from {lower} (found) to {at_most(seen['upper'])} (proven)."
    return said


def tables(record: dict[str, Any]) -> list[Table]:
    """Layers, bounds, gradient norms and secants."""
    parts = {what: record[what] for what in ("score", "critic") if record[what]}
    layers = [
        [each["name"], each["operation"], at_least(each["estimate"]), at_most(each["bound"])]
        for each in record["layers"]
    ]
    bounds = [
        [what, at_least(each["lower"]), _upper(each["upper"]), number(each["ratio"]), each["obstacle"] or ""]
        for what, each in parts.items()
    ]
    norms = [
        [what, place, *(number(norm[key]) for key in ("mean", "p95", "max"))]
        for what, each in parts.items()
        for place, norm in each["gradient_norms"].items()
    ]
    secants = [
        [what, *(number(each["secants"][at]) for at in DISTANCES), number(_gap(each["tv_gap"])), each["continuity"]]
        for what, each in parts.items()
    ]
    found = [
        Table("Norms of its layers", ["layer", "operation", "power iteration", "proven"], layers, (0, 1)),
        Table(
            "Lipschitz constant",
            ["of", "found, at least", "proven, at most", "ratio", "the proof stops at"],
            bounds,
            (0, 4),
        ),
        Table("Gradient norms", ["of", "at", "mean", "95 %", "max"], norms, (0, 1)),
        Table("Largest secant, by distance", ["of", *DISTANCES, "TV gap", "continuity"], secants, (0, 6)),
    ]
    return [table for table in found if table.rows]


def _upper(value: float | None) -> str:
    return UNKNOWN if value is None else at_most(value)


def _gap(value: float | None) -> float | None:
    return None if value is None else round(value, 6)  # the rest is rounding


def segment(record: dict[str, Any]) -> str:
    """What the figure shows, in words."""
    drawn = record["segment"]
    steps = pairwise(zip(drawn["near_at"], drawn["near_value"], strict=True))
    rise, run = max((abs(after[1] - before[1]), after[0] - before[0]) for before, after in steps)
    what = f"Score of {record['method']}" if record["score"] else "The critic's value"
    near = drawn["near_at"][-1] - drawn["near_at"][0]
    return (
        f"{what} on a segment of length {number(drawn['at'][-1])} from {drawn['from']} to {drawn['to']} (left), and on "
        f"{number(near)} of it where its steepest step lies (right), at {len(drawn['at'])} points each, which nothing "
        f"joins; the largest step on the right is {number(rise)} over {number(run)}, a secant of {number(rise / run)}."
    )


def number(value: float | None) -> str:
    """Three digits; a dash where there is none."""
    if value is None:
        return UNKNOWN
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}" if abs(value) < 1e6 else f"{value:.2e}"
