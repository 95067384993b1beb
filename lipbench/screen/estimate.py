"""How long it will still take, from the speed of what has run so far."""

import time
from collections.abc import Callable, Mapping
from statistics import fmean


class Estimate:
    """Seconds a step of each method, learned while it runs.

    Args:
        methods: the method of each run.
        steps: the steps of each run.
        jobs: how many run at a time.
        clock: gives seconds.
    """

    def __init__(
        self,
        methods: Mapping[str, str],
        steps: Mapping[str, int],
        jobs: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.methods, self.steps, self.jobs, self.clock = methods, steps, jobs, clock
        self.made = dict.fromkeys(steps, 0)
        self._first: dict[str, tuple[float, int]] = {}
        self._rates: dict[str, list[float]] = {}

    def stepped(self, run: str, step: int) -> None:
        """A run has made `step` steps in all."""
        now = self.clock()
        began, first = self._first.setdefault(run, (now, step))
        self.made[run] = step
        if step > first:
            rates = self._rates.setdefault(self.methods[run], [])
            rates[:] = [*rates[-9:], (now - began) / (step - first)]

    def finished(self, run: str) -> None:
        """Nothing is left of this run."""
        self.made[run] = self.steps[run]

    @property
    def fraction(self) -> float:
        """The part of all steps that is done."""
        return sum(self.made.values()) / max(1, sum(self.steps.values()))

    @property
    def seconds_left(self) -> float | None:
        """None until anything is known."""
        if not self._rates:
            return None
        rates = {method: fmean(values) for method, values in self._rates.items()}
        usual = fmean(rates.values())
        left = [(self.steps[run] - made) * rates.get(self.methods[run], usual) for run, made in self.made.items()]
        return sum(left) / min(self.jobs, max(1, sum(seconds > 0 for seconds in left)))
