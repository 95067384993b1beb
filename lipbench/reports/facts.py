"""What a reader must know of one comparison to read its numbers."""

from dataclasses import dataclass

import pandas as pd

from lipbench.disk.store import Status
from lipbench.reports.budget import devices
from lipbench.reports.reading.columns import LIPBENCH
from lipbench.reports.standing import untrained

OTHERS = "These are the runs with {}: other runs of this protocol and data set were made from something else."


@dataclass(frozen=True)
class Facts:
    """The same on the page and in every table.

    Attributes:
        title: data set and protocol.
        conditions: what all runs share, a phrase each.
        warnings: how far the numbers carry, a sentence each.
    """

    title: str
    conditions: list[str]
    warnings: list[str]

    @property
    def caption(self) -> str:
        """Everything in one line."""
        sentences = [
            f"{self.title}; {'; '.join(self.conditions)}.",
            "Means over n seeds ± half of the 95 % t-interval.",
        ]
        return " ".join(" ".join([*sentences, *self.warnings]).split())


def facts(runs: pd.DataFrame) -> Facts:
    """The facts of one comparison, from its rows of the table of runs."""
    title = runs.iloc[0]
    with_points = bool(runs["points"].notna().any())
    with_pictures = bool(runs[["fid", "samples"]].notna().any(axis=None)) and not with_points
    losses = list(runs["loss"].dropna().unique())
    conditions = [
        _steps(runs, generator=with_pictures or with_points),
        _shared(runs, "architecture", "architecture {}"),
        f"{losses[0]} loss" if len(losses) == 1 else "losses as recommended" if losses else "",
        _shared(runs, "settings", "{} settings"),
        *(_of_points(runs) if with_points else _of_pictures(runs) if with_pictures else _of_pair(runs)),
        f"protocol id {title['comparison']}",
    ]
    return Facts(
        title=f"{title['dataset']}: protocol {title['protocol']}" + f" ({title['part']})" * bool(title["part"]),
        conditions=[known for known in conditions if known],
        warnings=_warnings(runs),
    )


def _shared(runs: pd.DataFrame, name: str, phrase: str) -> str:
    """A phrase on what the runs share, nothing where none of them says."""
    known = runs[name].dropna()
    return "" if known.empty else phrase.format(known.iloc[0])


def _steps(runs: pd.DataFrame, *, generator: bool) -> str:
    """How many steps were made, by finished runs where there are any, and of what where lipbench made them."""
    done = runs["status"] == Status.DONE
    made = (runs["steps"][done] if done.any() else runs["steps"]).dropna()
    if made.empty:
        return ""
    count = f"{made.max()}" if made.nunique() == 1 else f"{made.min()} to {made.max()}"
    kind = "generator steps" if generator else "critic steps"
    own = runs["pairing"].eq(LIPBENCH).fillna(False).all()
    return f"{count} {kind if own else 'steps'}"


def _of_pictures(runs: pd.DataFrame) -> list[str]:
    real = [_shared(runs, "real_samples", "{} real pictures"), _shared(runs, "split", "the {} split")]
    against = " of ".join(filter(None, real))
    compared = [_shared(runs, "samples", "{} generated pictures"), f"against {against}" if against else ""]
    by = [("extractor", "extractor {}"), ("curve_extractor", "curve FID by {}")]
    return [" ".join(filter(None, compared)), *(_shared(runs, name, phrase) for name, phrase in by)]


def _of_points(runs: pd.DataFrame) -> list[str]:
    against = _shared(runs, "samples", "{} generated points against as many real ones")
    return [against, _shared(runs, "modes", "{} modes"), _shared(runs, "points", "distribution {}")]


def _of_pair(runs: pd.DataFrame) -> list[str]:
    known = runs[["pair", "w1_true"]].dropna()
    return [] if known.empty else [f"true W₁ {known['w1_true'].iloc[0]:.4f}", f"pair {known['pair'].iloc[0]}"]


def _warnings(runs: pd.DataFrame) -> list[str]:
    part = OTHERS.format(runs["part"].iloc[0]) if runs["part"].iloc[0] else None
    found = [text for text in (part, untrained(runs), devices(runs)) if text is not None]
    # The estimate of the best critic itself varies by about a thirtieth from draw to draw.
    above = runs[(runs["w1_estimate"] > 1.1 * runs["w1_true"]) & (runs["secant_max"] > 1.001)]
    if len(above):
        found.append(
            "A W₁ estimate bounds the distance from below only for a continuous critic of slope at most 1: read it "
            "beside the largest secant."
        )
    scored = runs[runs["fid"].notna()]
    if scored.empty:
        return found
    counts = scored[["samples", "real_samples"]].min().dropna()
    samples, features = counts.min(), scored["features"].max()
    if len(counts) and pd.notna(features) and samples < features:
        found.append(
            f"FID of {samples:,} pictures from {features:,} features is unstable: "
            "compare KID, or evaluate more pictures."
        )
    # Of runs from elsewhere nobody knows why they lack one.
    own = scored[scored["pairing"] == LIPBENCH]
    if len(own) and own["inception_score"].isna().all():
        found.append("No Inception Score: the extractor's weights have no last layer.")
    return found
