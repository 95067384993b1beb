"""How the methods of one comparison stand, by the measure that decides, and which of them have learnt anything."""

from dataclasses import dataclass

import pandas as pd

from lipbench.disk.store import Status
from lipbench.measures import Deciding
from lipbench.reports.reading.columns import deciding
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
        measure: that decides.
        places: the best mean first.
        noise: what a method that has learnt nothing would have: the FID of noise, or the cosine of a random direction;
            None where it is not known.
    """

    measure: Deciding
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
        return place.interval.mean < self.noise if self.measure.less else place.interval.mean > self.noise


def standing(runs: pd.DataFrame) -> Standing | None:
    """How the methods of one comparison stand; None where nothing that decides is known of a finished run."""
    measure = deciding(runs[runs["status"] == Status.DONE])
    if measure is None:
        return None
    places = []
    for method, group in runs.groupby("method"):
        done, diverged = (group["status"] == status for status in (Status.DONE, Status.DIVERGED))
        interval = t_interval(group.loc[done, measure.name].astype(float))
        if interval.n:
            places.append(Place(str(method), interval, int(diverged.sum()), int((~done & ~diverged).sum())))
    places.sort(key=lambda place: place.interval.mean * (1 if measure.less else -1))
    return Standing(measure, places, _noise(runs, measure))


def _noise(runs: pd.DataFrame, measure: Deciding) -> float | None:
    if not isinstance(measure.untrained, str):
        return measure.untrained
    known = runs[measure.untrained].dropna()
    return float(known.iloc[0]) if len(known) else None


def untrained(runs: pd.DataFrame) -> str | None:
    """Who has learnt nothing of one comparison, in a sentence; None where everybody has."""
    found = standing(runs)
    if found is None or found.noise is None or not found.untrained:
        return None
    return (
        f"Untrained: the mean {found.measure.title} of {', '.join(found.untrained)} is no better than that of "
        f"{found.measure.nothing}, {short(found.noise)}."
    )
