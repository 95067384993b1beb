"""How a method looks, the same in every figure of every report: colour, dashes and marker go by its name alone."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import product
from typing import Any, NamedTuple

# The palette "colorblind" of seaborn, by its names there: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"
BROWN, PINK, GREY, YELLOW, SKY = "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"


class Look(NamedTuple):
    """Colour, dashes and marker of a method."""

    colour: str
    dash: str = "-"
    marker: str = "o"


# Those that come with lipbench are told apart by colour alone, and relatives of theirs by dashes.
KNOWN = {
    "gn": Look(BLUE),
    "gp": Look(ORANGE),
    "sn": Look(GREEN),
    "wc": Look(RED),
    "gran": Look(PURPLE),
    "ortho": Look(BROWN),
    "r1": Look(PINK),
    "none": Look(GREY),
    "lp": Look(YELLOW),
    "gn_tau": Look(SKY),
    "sn_conv": Look(GREEN, "--", "s"),
    "aol": Look(BROWN, "--", "s"),
    "r2": Look(PINK, "--", "s"),
    "r1r2": Look(PINK, ":", "^"),
    "dragan": Look(ORANGE, "--", "s"),
    "max_gp": Look(ORANGE, ":", "^"),
    "zero_gp": Look(ORANGE, "-.", "D"),
    "alp": Look(YELLOW, "--", "s"),
    "ct": Look(YELLOW, ":", "^"),
    "wgan_div": Look(RED, "--", "s"),
}
COLOURS = [BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY]
MARKERS = 6  # on a line
OTHERS = [Look(*parts) for parts in product(COLOURS, ["--", ":", "-."], ["s", "^", "D", "v", "P", "X"])]


def stroke(look: Look, points: int) -> dict[str, Any]:
    """How a method's line is drawn, as matplotlib takes it: with a few markers where colour alone says too little."""
    alone = points == 1  # a line of one point cannot be seen
    marker = look.marker if alone or look.dash != "-" else None
    every = max(1, points // MARKERS)
    return {
        "color": look.colour, "linestyle": look.dash, "marker": marker, "markersize": 3, "markevery": every,
    }  # fmt: skip


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """The look of each method, by name.

    A variant of a known method has its colour. Other names choose by their digest; only where two of one figure
    would look alike, the latter by name takes the next look that is free.
    """
    names = sorted(set(methods))
    found = {name: KNOWN[name] for name in names if name in KNOWN}
    for name in names:
        if name not in found:
            wanted = _wanted(name)
            free = [look for look in wanted if look not in found.values()]
            found[name] = (free or wanted)[0]
    return {name: found[name] for name in names}


def _wanted(name: str) -> list[Look]:
    """What a name would look like, most wanted first."""
    start = int(sha256(name.encode()).hexdigest(), 16) % len(OTHERS)
    order = OTHERS[start:] + OTHERS[:start]
    base = KNOWN.get(name.partition("[")[0].partition("@")[0])
    if base is None or "+" in name:
        return order
    return sorted(order, key=lambda look: look.colour != base.colour)
