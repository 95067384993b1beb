"""How the methods of one comparison stand, by the measure that decides, and which of them have learnt anything."""

from dataclasses import dataclass

import pandas as pd

from lipbench.disk.store import Status
from lipbench.reports.budget import deciding
from lipbench.reports.statistics.intervals import Interval, short, t_interval


@dataclass(frozen=True)
class Place:
    """A method with a mean.

    Attributes:
        method: its name.
        interval: of its finished runs.
        diverged: how many of its runs diverged.
        unfinished: how many have not finished, or failed.
    """

    method: str
    interval: Interval
    diverged: int
    unfinished: int

    @property
    def whole(self) -> bool:
        """Whether every run is in the mean."""
        return self.diverged == self.unfinished == 0


@dataclass(frozen=True)
class Standing:
    """The methods of one comparison that have a mean.

    Attributes:
        name: of the measure, for people.
        less: whether less of it is better.
        places: the best mean first.
        noise: what a method that has learnt nothing would have: the FID of noise, or the cosine of a random direction;
            None where it is not known.
    """

    name: str
    less: bool
    places: list[Place]
    noise: float | None

    @property
    def untrained(self) -> list[str]:
        """The methods whose mean is no better than noise."""
        return [place.method for place in self.places if not self._trained(place)]

    @property
    def leaders(self) -> list[Place]:
        """The best mean that is better than noise, more than one place if they are equal."""
        return self._best(self.places)

    @property
    def whole_leaders(self) -> list[Place]:
        """The same among methods all of whose runs are in their means."""
        return self._best([place for place in self.places if place.whole])

    def _best(self, places: list[Place]) -> list[Place]:
        trained = [place for place in places if self._trained(place)]
        return [place for place in trained if place.interval.mean == trained[0].interval.mean]

    def _trained(self, place: Place) -> bool:
        if self.noise is None:
            return True
        return place.interval.mean < self.noise if self.less else place.interval.mean > self.noise


def standing(runs: pd.DataFrame) -> Standing | None:
    """How the methods stand; None where nothing that decides is known of a finished run.

    Args:
        runs: rows of one comparison.
    """
    measure = deciding(runs[runs["status"] == Status.DONE])
    if measure is None:
        return None
    column, name, less = measure
    places = []
    for method, group in runs.groupby("method"):
        done, diverged = (group["status"] == status for status in (Status.DONE, Status.DIVERGED))
        interval = t_interval(group.loc[done, column].astype(float))
        if interval.n:
            places.append(Place(str(method), interval, int(diverged.sum()), int((~done & ~diverged).sum())))
    places.sort(key=lambda place: place.interval.mean * (1 if less else -1))
    noise = runs["fid_noise"].dropna()
    known = (float(noise.iloc[0]) if len(noise) else None) if column == "fid" else 0.0
    return Standing(name, less, places, known)


def untrained(runs: pd.DataFrame) -> str | None:
    """Who has learnt nothing, in a sentence; None where everybody has.

    Args:
        runs: rows of one comparison.
    """
    found = standing(runs)
    if found is None or found.noise is None or not found.untrained:
        return None
    what = f"noise, {short(found.noise)}" if found.less else "a random direction, 0"
    return f"Untrained: the mean {found.name} of {', '.join(found.untrained)} is no better than that of {what}."
