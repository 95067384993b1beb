"""What the work on a cell needs of it, whatever is trained: a training, a check, and measurements."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lipbench.errors import Diverged, PluginError
from lipbench.interfaces.dataset import Pictures, digest
from lipbench.interfaces.pair import Pair
from lipbench.measuring import critic as measuring
from lipbench.measuring.bounds import beside, bound, proven
from lipbench.measuring.evaluation import Seen, declared, score_at, take
from lipbench.measuring.functions import of_critic
from lipbench.measuring.plane import Arrays, over_plane
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine
from lipbench.train.gradients.three_sweeps import ThreeSweeps
from lipbench.train.streams import generator
from lipbench.train.training import Training
from lipbench.work.layout import memory_format
from lipbench.work.parts import create_measure, is_built_in, load_data
from lipbench.work.stages import Stages

Record = dict[str, Any]


def latents(cell: Cell, count: int, device: torch.device) -> Float[Tensor, "n z"]:
    """The latents of every evaluation: the same for all methods of a seed, whatever the device."""
    rng = generator(cell.seed, "evaluation latents")
    return torch.randn(count, cell.latent_dim, generator=rng).to(device)


class Job(ABC):
    """A cell, built.

    Attributes:
        cell: what was asked.
        training: ready to go.
        measures: what is measured besides what every run measures, by name.
    """

    training: Training

    def __init__(self, cell: Cell, locate: Locate) -> None:
        self.cell = cell
        self.measures = {str(part): create_measure(part, locate) for part in cell.measures}

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """The shape of a point that the critic takes."""

    def check_again(self, locate: Locate) -> None:
        """See that what the user's own code makes is the same at each call, and goes by the seed where it should.

        Args:
            locate: as for `create`.

        Raises:
            PluginError: it is not, or does not.
        """
        dataset = self.cell.dataset
        if is_built_in(dataset):
            return
        again = load_data(dataset, locate)
        found = digest(again.train, again.held_out) if isinstance(again, Pictures) else again.digest
        if found not in self.basis.values():
            what = "other pictures" if isinstance(again, Pictures) else "another distribution"
            what = "another pair" if isinstance(again, Pair) else what
            raise PluginError(
                f"load of data set {dataset} gives {what} at each call, so no two runs would have the same; "
                f"expected random numbers from a fixed seed alone: np.random.default_rng(0), or torch.rand(…, "
                f"generator=torch.Generator().manual_seed(0))"
            )

    @abstractmethod
    def check(self, stages: Stages) -> None:
        """See that the parts fit together, without training anything.

        Args:
            stages: tells what is tried, and explains what the user's code raises.

        Raises:
            RequestError: they do not.
        """

    @property
    def evaluations(self) -> int:
        """How often a run is evaluated."""
        protocol = self.cell.protocol
        return -(-protocol.train.steps // protocol.evaluate.every)

    @abstractmethod
    def rehearse_evaluation(self) -> float:
        """Measure a few points as `evaluate` does; gives the seconds that all evaluations of a run take, roughly.

        Raises:
            Diverged: something that is measured is not finite.
        """

    @abstractmethod
    def prepare(self, results: Path, stages: Stages, *, measure: bool) -> None:
        """See that the data are those of the runs in the results folder, and measure what numbers are compared with.

        Args:
            results: where the yardsticks are kept.
            stages: tells what is done, and what a reader of the numbers must know.
            measure: whether to measure anything, and keep it.

        Raises:
            RequestError: the data are others.
            StoreError: the cache or the results folder cannot be written to.
        """

    @abstractmethod
    def evaluate(self, *, final: bool) -> tuple[Record, bytes | Arrays | None]:
        """Measure the present state; training goes on as if nothing had happened.

        Args:
            final: whether this is the end, at which the critic is examined in full.

        Returns:
            The measurements by the names that ``runs.csv`` uses; and a grid of samples as PNG, or what figures show of
            points, if there are any.

        Raises:
            Diverged: something that is measured is not finite.
        """

    @abstractmethod
    def facts(self) -> Record:
        """What stands in every result, however the run ended."""

    @property
    @abstractmethod
    def basis(self) -> dict[str, str]:
        """What runs of one comparison must share: digests of the data, and the extractor where there is one."""

    @property
    def declared(self) -> Record:
        """What its measures say of their columns, by the names of these."""
        found = [declared(measure, name) for name, measure in self.measures.items()]
        return {column: about for each in found for column, about in each.items()}

    @property
    def networks(self) -> Record:
        """The shape of a point, and the numbers of parameters."""
        made = {"generator": getattr(self.training, "generator", None), "critic": self.training.critic}
        count = {name: sum(weight.numel() for weight in net.parameters()) for name, net in made.items() if net}
        return {"shape": list(self.shape)} | {f"{name}_parameters": number for name, number in count.items()}

    def describe(self) -> Record:
        """`facts`, and what is known of every training."""
        training, graphs = self.training, self.training.graphs
        return {
            "guarantee": training.composition.guarantee,
            "lipschitz_target": training.composition.lipschitz_target,
            "engine": training.engine_name,
            "engine_reason": training.engine.reason,
            **({} if graphs is None else {"cuda_graph": graphs.is_used, "cuda_graph_reason": graphs.reason}),
            "passes": training.passes,
            "memory_format": memory_format(training.critic),
            **self.basis,
            **self.facts(),
        }

    @property
    def exact_engine(self) -> Engine:
        """The engine for measurements: that of training, but in the precision of its points."""
        return ThreeSweeps() if isinstance(self.training.engine, ThreeSweeps) else DoubleBackward()

    def measure_critic(
        self, points: dict[str, Tensor], *, final: bool, more: dict[str, Tensor], segments: int
    ) -> Record:
        """Gradient norms and secants of a settled copy of the critic; arguments as of `measuring.examine`.

        Args:
            points: held-out ``real``, ``fake`` and ``interpolated`` ones, as many at each of these places.
            final: whether to examine it in full.
            more: further places, for the full examination.
            segments: for the full examination.

        Raises:
            Diverged: the critic gives a number that is not finite.
        """
        settled, score = measuring.settled(self.training.critic), self.training.composition.measured_score
        if reason := measuring.not_measurable(settled, points["real"], self.training.mixer):
            return {"not_examined": reason}
        try:
            record: Record = measuring.measure(settled, score, points, self.exact_engine)
            if final:
                record |= measuring.examine(settled, score, points, more, segments, self.exact_engine)
                found = max(record["raw_secant_max"], record["raw_grad_norm_max"])
                record |= proven(beside(bound(settled, self.shape), found), score)
        except measuring.NotExactError as error:
            record["not_examined"] = str(error)
        except measuring.NotFiniteError as error:
            raise Diverged(self.training.step, error.what) from None
        return record

    def over_plane(self, real: Float[Tensor, "n 2 1 1"]) -> Arrays:
        """The score over the plane, as of `plane.over_plane`; nothing of a critic that is no function of a point."""
        critic = measuring.settled(self.training.critic)
        if measuring.not_measurable(critic, real, self.training.mixer) is not None:
            return {}
        return over_plane(of_critic(critic, self.training.composition.measured_score, self.exact_engine), real)

    def take_measures(self, record: Record, points: dict[str, Tensor], *, final: bool, **seen: Any) -> Record:
        """What else was asked for.

        Args:
            record: what `measure_critic` gave.
            points: as it was given.
            final: whether this is the end of the run.
            seen: pictures, features and samples as of `Seen`, where there are any.

        Raises:
            RequestError: a measure fails, or gives what it should not.
        """
        if not self.measures:
            return {}
        critic = measuring.settled(self.training.critic)
        score = score_at(critic, self.training.composition.measured_score)
        whole = None if "not_examined" in record else (critic, score, points["real"], points["fake"])
        return dict(take(self.measures, Seen(self.cell.seed, whole, **seen), final=final))

    def noise(self, points: Tensor) -> Tensor:
        """As many points, uniform in the range of these."""
        return measuring.uniform(points, generator(self.cell.seed, "measured noise", device=points.device))
