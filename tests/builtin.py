"""Built-in plugins by name, for tests of other things."""

from typing import Any

from jaxtyping import UInt8
from torch import Tensor, nn

from lipbench.interfaces.loss import Loss
from lipbench.measuring.features import Features
from lipbench.measuring.fidelity import Reference, compare, measure_real
from lipbench.plugins import registry
from lipbench.plugins.kinds import ARCHITECTURE, EXTRACTOR, LOSS, Kind
from lipbench.plugins.names import expand
from lipbench.request.schema import Evaluate


def plugin(kind: Kind, text: str) -> Any:
    """An instance of a plugin that needs no file of one's own."""
    ((name,),) = expand(text)
    resolved = registry.resolve(kind, name)
    return registry.create(kind, resolved.part, lambda copy: resolved.sources[copy])


def networks(text: str, shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
    """Generator and critic of an architecture."""
    pair: tuple[nn.Module, nn.Module] = plugin(ARCHITECTURE, text).make(shape, latent_dim)
    return pair


def loss(text: str) -> Loss:
    """A loss."""
    found: Loss = plugin(LOSS, text)
    return found


def features(text: str) -> Features:
    """An extractor, loaded."""
    return Features(plugin(EXTRACTOR, text), text)


def scores(
    fake: UInt8[Tensor, "n c h w"], reference: Reference, extractor: Features, settings: Evaluate
) -> dict[str, Any]:
    """What FID and its kin say of pictures beside others."""
    real = measure_real(reference, extractor)
    return compare(extractor.extract(fake), real, extractor, settings)
