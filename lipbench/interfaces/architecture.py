"""The plugin interface for networks: a generator and its critic, made for pictures or points of a shape."""

from torch import nn

from lipbench.interfaces.plugin import Plugin


class Architecture(Plugin):
    """A pair of networks. Annotated fields are parameters, set by name: ``cnn-32[width=16]``."""

    def make(self, image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        """Return the pair; its weights are drawn from torch's own random numbers.

        Args:
            image_shape: channels, height and width of a picture; (dim, 1, 1) for points.
            latent_dim: numbers in a latent.

        Returns:
            The generator, (n, latent_dim) → (n, c, h, w), in [−1, 1] for pictures, and the critic, (n, c, h, w) → (n,)
            or (n, 1).

        Raises:
            RequestError: it has no networks for this shape.
        """
        raise NotImplementedError
