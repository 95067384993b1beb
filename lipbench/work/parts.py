"""From the parts that a cell names to the objects themselves: data, extractors, measures, networks."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lipbench.errors import PluginError, RequestError
from lipbench.interfaces import distribution, pair
from lipbench.interfaces.dataset import Data, Pictures
from lipbench.interfaces.distribution import Distribution
from lipbench.interfaces.measure import Measure
from lipbench.interfaces.pair import Pair
from lipbench.measuring.evaluation import declared
from lipbench.measuring.features import Features
from lipbench.plugins import registry
from lipbench.plugins.explain import explain
from lipbench.plugins.importing import import_file
from lipbench.plugins.kinds import ARCHITECTURE, DATASET, EXTRACTOR, MEASURE
from lipbench.plugins.names import Name
from lipbench.plugins.own import digest
from lipbench.plugins.part import Part
from lipbench.plugins.registry import Locate
from lipbench.request.cell import Cell
from lipbench.train.streams import seeded

Make = Callable[[tuple[int, int, int], int], tuple[nn.Module, nn.Module]]


def load_data(part: Part, locate: Locate) -> Data:
    """What a data set holds.

    Args:
        part: the data set.
        locate: gives the path of a user's own file from its name in the run folder.

    Raises:
        RequestError: the data is missing or damaged, or the plugin cannot be used.
    """
    plugin, wanted = registry.create(DATASET, part, locate), "return lipbench.Pictures(train=…, held_out=…)"
    try:
        found = plugin.load()
        if isinstance(found, Pair):
            pair.check(found)
        if isinstance(found, Distribution):
            distribution.check(found)
    except PluginError as error:
        raise PluginError(f"data set {part}: {error}") from error
    except (SystemExit, GeneratorExit) as error:
        file = Path(inspect.getfile(type(plugin)))
        raise PluginError(
            f"data set {part} ends the program while it loads: {explain(error, {file: file})}; expected {wanted}, or "
            f"an exception that says what is wrong"
        ) from error
    if not isinstance(found, Data):
        given = "nothing" if found is None else f"a {type(found).__name__}"
        raise PluginError(
            f"load of data set {part} returns {given}; expected {wanted}, a lipbench.Distribution or a lipbench.Pair"
        )
    return found


def load_pictures(part: Part, locate: Locate) -> Pictures:
    """The pictures of a data set; arguments and errors as of `load_data`."""
    found = load_data(part, locate)
    if isinstance(found, Pictures):
        return found
    fitting = "a critic alone: --protocol w1" if isinstance(found, Pair) else "points: --protocol modes"
    raise RequestError(
        f"{part} holds {_kind(found)}, and no pictures; expected a data set of pictures, such as digits, or a protocol "
        f"for {fitting}"
    )


def load_distribution(part: Part, locate: Locate, protocol: str) -> Distribution:
    """The distribution of a data set; arguments and errors as of `load_data`, `protocol` for the message."""
    found = load_data(part, locate)
    if not isinstance(found, Distribution):
        raise RequestError(
            f"{part} holds {_kind(found)}, and protocol {protocol} trains a generator of points; expected points of "
            f"one distribution, such as ring, grid, swiss-roll or two-moons"
        )
    return found


def _kind(data: Data) -> str:
    if isinstance(data, Pictures):
        return f"pictures of {'×'.join(map(str, data.shape))}"
    numbers = f"points of {data.dim} number{'s' * (data.dim != 1)}"
    return f"{numbers}, drawn from {'one distribution' if isinstance(data, Distribution) else 'two distributions'}"


def load_pair(part: Part, locate: Locate, protocol: str) -> Pair:
    """The pair of distributions of a data set; arguments and errors as of `load_data`, `protocol` for the message."""
    found = load_data(part, locate)
    if not isinstance(found, Pair):
        raise RequestError(
            f"{part} holds {_kind(found)}, and protocol {protocol} trains a critic alone; expected data whose "
            f"distance is known, such as w1[dim=2,funnels=4], gauss-shift, gauss-scale or shells"
        )
    return found


def is_built_in(part: Part) -> bool:
    """Whether a data set is one of lipbench's own, rather than a user's file or another package's."""
    return part.file is None and str(registry.find(DATASET, Name(part.name)).module).startswith("lipbench.")


def create_features(part: Part, locate: Locate) -> Features:
    """An extractor, loaded and tried.

    Raises:
        RequestError: the plugin cannot be used, or its weights are missing or damaged.
    """
    plugin = registry.create(EXTRACTOR, part, locate)
    known = part.file is not None or type(plugin).__module__.startswith("lipbench.")
    # What is installed may be changed as well, and its name stays.
    version = part.version if known else digest(Path(inspect.getfile(type(plugin))))
    return Features(plugin, str(part), version)


def create_measure(part: Part, locate: Locate) -> Measure:
    """A measure, with what it declares checked; errors as of `registry.create`."""
    measure: Measure = registry.create(MEASURE, part, locate)
    declared(measure, str(part))
    return measure


def find_architecture(part: Part, locate: Locate) -> Make:
    """What makes generator and critic, one pair a call.

    Raises:
        RequestError: there is no such architecture, or it makes something else.
    """
    function = part.name.partition(":")[2]
    if function:
        found: Any = getattr(import_file(*registry.unchanged(part, locate)), function, None)
        if not callable(found):
            raise PluginError(f"the architecture file of {part.name!r} defines no function {function!r}")
    else:
        found = registry.create(ARCHITECTURE, part, locate).make
    if misfit := misfit_of(found, (1, 8, 8), 128):
        raise PluginError(
            f"architecture {part.name!r} {misfit}; expected (image_shape, latent_dim), as in make((1, 8, 8), 128)"
        )

    def make(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        pair = found(image_shape, latent_dim)
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(net, nn.Module) for net in pair)):
            raise PluginError(f"architecture {part.name!r} gives {type(pair).__name__}; expected two modules")
        if not all(list(net.parameters()) for net in pair):
            raise PluginError(f"architecture {part.name!r} gives a network without weights; expected two with")
        return pair

    return make


def check_seeding(cell: Cell, shape: tuple[int, int, int], locate: Locate) -> None:
    """See that a user's own networks go by the seed.

    Raises:
        PluginError: they have the same weights for every seed.
    """
    if not cell.architecture.file:
        return
    make, made = find_architecture(cell.architecture, locate), []
    for seed in (0, 1):
        with seeded(seed, "trial of networks"):
            networks = make(shape, cell.latent_dim)
        made.append([weight for network in networks for weight in network.parameters()])
    if all(torch.equal(one, other) for one, other in zip(*made, strict=True)):
        raise PluginError(
            f"architecture {cell.architecture.name} gives the same weights for every seed, so runs of different seeds "
            f"would begin alike; expected weights drawn from torch's own random numbers, without torch.manual_seed"
        )


def misfit_of(function: Callable[..., Any], *given: Any) -> str:
    """What keeps a function from being called so, as in ``takes (x, y) (missing …)``; empty where nothing does."""
    try:
        signature = inspect.signature(function)
        signature.bind(*given)
    except ValueError:  # a builtin without a signature
        return ""
    except TypeError as error:
        return f"takes {signature} ({error})"
    return ""
