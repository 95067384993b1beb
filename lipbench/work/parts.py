"""From the parts that a cell names to the objects themselves: data, extractors, measures, networks."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from lipbench.errors import PluginError, RequestError
from lipbench.interfaces import pair
from lipbench.interfaces.dataset import Pictures
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

Make = Callable[[tuple[int, int, int], int], tuple[nn.Module, nn.Module]]


def load_data(part: Part, locate: Locate) -> Pictures | Pair:
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
    except PluginError as error:
        raise PluginError(f"data set {part}: {error}") from error
    except (SystemExit, GeneratorExit) as error:
        file = Path(inspect.getfile(type(plugin)))
        raise PluginError(
            f"data set {part} ends the program while it loads: {explain(error, {file: file})}; expected {wanted}, or "
            f"an exception that says what is wrong"
        ) from error
    if not isinstance(found, Pictures | Pair):
        given = "nothing" if found is None else f"a {type(found).__name__}"
        raise PluginError(f"load of data set {part} returns {given}; expected {wanted}, or a lipbench.Pair")
    return found


def load_pictures(part: Part, locate: Locate) -> Pictures:
    """The pictures of a data set; arguments and errors as of `load_data`."""
    pictures = load_data(part, locate)
    if isinstance(pictures, Pair):
        raise RequestError(
            f"{part} holds points of {pictures.dim} numbers, drawn from two distributions, and no pictures; expected a "
            f"data set of pictures, such as digits, or a protocol for a critic alone: --protocol w1"
        )
    return pictures


def load_pair(part: Part, locate: Locate, protocol: str) -> Pair:
    """The pair of distributions of a data set; arguments and errors as of `load_data`, `protocol` for the message."""
    found = load_data(part, locate)
    if not isinstance(found, Pair):
        raise RequestError(
            f"{part} holds pictures, and protocol {protocol} trains a critic alone; expected data whose distance is "
            f"known, such as w1[dim=2,funnels=4], gauss-shift, gauss-scale or shells"
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
