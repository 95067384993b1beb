"""What a reader must know of one comparison to read its numbers."""

from dataclasses import dataclass

import pandas as pd

from lipbench.reports.budget import devices
from lipbench.reports.standing import untrained
from lipbench.store import Status


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
    """The facts of one comparison.

    Args:
        runs: its rows of the table of runs.
    """
    first = runs.iloc[0]
    with_pictures = runs["fid"].notna().any() or pd.notna(first["samples"])
    kind = (
        "generator " if with_pictures else "critic " if runs["cos"].notna().any() or runs["pair"].notna().any() else ""
    )
    losses = list(runs["loss"].dropna().unique())
    return Facts(
        title=f"{first['dataset']}: protocol {first['protocol']}",
        conditions=[
            f"{_steps(runs)} {kind}steps",
            *([f"architecture {first['architecture']}"] * pd.notna(first["architecture"])),
            f"{losses[0]} loss" if len(losses) == 1 else "losses as recommended" if len(losses) else "a loss not known",
            *([f"{first['settings']} settings"] * pd.notna(first["settings"])),
            *(_of_pictures(runs) if with_pictures else _of_pair(runs)),
            f"protocol id {first['comparison']}",
        ],
        warnings=_warnings(runs),
    )


def _steps(runs: pd.DataFrame) -> str:
    """How many steps were made, by finished runs where there are any."""
    done = runs["status"] == Status.DONE
    made = (runs["steps"][done] if done.any() else runs["steps"]).dropna()
    if made.empty:
        return "an unknown number of"
    return f"{made.max()}" if made.nunique() == 1 else f"{made.min()} to {made.max()}"


def _of_pictures(runs: pd.DataFrame) -> list[str]:
    first, extractor = runs.iloc[0], runs["extractor"].dropna()
    real = "" if pd.isna(first["real_samples"]) else f"{first['real_samples']} of "
    split = f"the {first['split']} split" if pd.notna(first["split"]) else "a split that is not known"
    samples = "an unknown number of" if pd.isna(first["samples"]) else first["samples"]
    return [
        f"{samples} generated pictures against {real}{split}",
        f"extractor {extractor.iloc[0] if len(extractor) else 'not known yet'}",
    ]


def _of_pair(runs: pd.DataFrame) -> list[str]:
    known = runs[["pair", "w1_true"]].dropna()
    return [] if known.empty else [f"true W₁ {known['w1_true'].iloc[0]:.4f}", f"pair {known['pair'].iloc[0]}"]


def _warnings(runs: pd.DataFrame) -> list[str]:
    found = [text for text in (untrained(runs), devices(runs)) if text is not None]
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
    counts = scored[["samples", "real_samples"]].iloc[0].dropna()
    samples, features = counts.min(), scored["features"].max()
    if len(counts) and pd.notna(features) and samples < features:
        found.append(
            f"FID of {samples:,} pictures from {features:,} features is unstable: "
            "compare KID, or evaluate more pictures."
        )
    if scored["inception_score"].isna().all():
        found.append("No Inception Score: the extractor's weights have no last layer.")
    return found
