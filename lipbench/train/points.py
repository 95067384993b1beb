"""Training a generator of points against a critic: real points are drawn anew at each step."""

from jaxtyping import Float
from torch import Tensor, nn

from lipbench.interfaces.distribution import Distribution
from lipbench.interfaces.loss import Loss
from lipbench.request.schema import PointsTrain
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import Engine
from lipbench.train.loop import Game


class PointTrainer(Game):
    """Trains a generator of points.

    Args:
        generator: (n, latent_dim) → (n, dim, 1, 1).
        distribution: of the real points.
        critic, composition, loss, settings, engine, seed: as of `Game`.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        distribution: Distribution,
        settings: PointsTrain,
        engine: Engine,
        seed: int,
    ) -> None:
        super().__init__(generator, critic, composition, loss, settings, engine, seed)
        self.distribution = distribution

    def _real(self, batches: int) -> Float[Tensor, "n d 1 1"]:
        """See `Game._real`."""
        return self.distribution.sample(batches * self.settings.batch_size, self.streams["points"])

    def _shown(self, samples: Tensor | None) -> Float[Tensor, "n d 1 1"]:
        """See `Game._shown`."""
        return self._real(1) if samples is None else samples
