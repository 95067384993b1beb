"""From the parts that a cell names to the objects themselves: data, methods, networks."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from lipbench import nets
from lipbench.errors import PluginError, RequestError
from lipbench.interfaces import pair
from lipbench.interfaces.dataset import Dataset, Pictures
from lipbench.interfaces.method import Method
from lipbench.interfaces.pair import Pair
from lipbench.plugins import own, registry
from lipbench.plugins.explain import explain
from lipbench.plugins.importing import import_file
from lipbench.plugins.names import Name
from lipbench.request.cell import Part

Locate = Callable[[str], Path]


def load_data(part: Part, locate: Locate) -> Pictures | Pair:
    """What a data set holds.

    Args:
        part: the data set.
        locate: gives the path of a user's own file from its name in the run folder.

    Raises:
        RequestError: the data is missing or damaged, or the plugin cannot be used.
    """
    plugin, wanted = _create(registry.DATASET, part, locate), "return lipbench.Pictures(train=…, held_out=…)"
    if type(plugin).load is Dataset.load:
        raise PluginError(f"data set {part} has no load; expected def load(self) that ends in {wanted}")
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
    if part.file is not None:
        return False
    module = registry.find(registry.DATASET, Name(part.name)).module
    return module is not None and module.startswith("lipbench.")


def default_split(part: Part, locate: Locate) -> str:
    """The part of a data set that pictures are compared with unless told: ``train``, ``held_out`` or ``all``."""
    return str(_create(registry.DATASET, part, locate).default_split)


def create_method(part: Part, locate: Locate) -> Method:
    """A method with its parameters.

    Raises:
        RequestError: the plugin cannot be used.
    """
    method: Method = _create(registry.METHOD, part, locate)
    return method


def find_architecture(part: Part, locate: Locate) -> nets.Make:
    """What makes generator and critic, one pair a call.

    Raises:
        RequestError: there is no such architecture, or it makes something else.
    """
    if part.file is None:
        found = nets.find(part.name)
    else:
        function = part.name.partition(":")[2]
        defined: Any = getattr(import_file(*_own(part, locate)), function, None)
        if not callable(defined):
            raise PluginError(f"the architecture file of {part.name!r} defines no function {function!r}")
        found = defined
    _check_call(found, part.name)

    def make(image_shape: tuple[int, int, int], latent_dim: int) -> tuple[nn.Module, nn.Module]:
        pair = found(image_shape, latent_dim)
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(net, nn.Module) for net in pair)):
            raise PluginError(f"architecture {part.name!r} gives {type(pair).__name__}; expected two modules")
        if not all(list(net.parameters()) for net in pair):
            raise PluginError(f"architecture {part.name!r} gives a network without weights; expected two with")
        return pair

    return make


def _check_call(make: Callable[..., Any], name: str) -> None:
    """See that a function can be called as an architecture is.

    Raises:
        PluginError: it takes other arguments.
    """
    try:
        signature = inspect.signature(make)
        signature.bind((1, 8, 8), 128)
    except ValueError:  # a builtin without a signature
        return
    except TypeError as error:
        raise PluginError(
            f"architecture {name!r} takes {signature} ({error}); expected (image_shape, latent_dim), as in "
            f"make((1, 8, 8), 128)"
        ) from None


def _create(kind: registry.Kind, part: Part, locate: Locate) -> Any:
    if part.file is None:
        found = registry.find(kind, Name(part.name))
    else:
        path, modules = _own(part, locate)
        found = registry.Found(kind, part.name, path, modules=modules)
    return registry.create(found, part.parameters)


def _own(part: Part, locate: Locate) -> tuple[Path, dict[str, Path]]:
    """The user's own file and its modules by their places, all unchanged since they were planned."""
    files = [locate(name) for name in part.copies]
    for path, planned in zip(files, part.copies.values(), strict=True):
        try:
            present = own.digest(path)
        except FileNotFoundError:
            raise PluginError(f"{str(path)!r} is missing; restore it, or give the command again") from None
        if present != planned:
            raise PluginError(f"{str(path)!r} was changed after the run was planned; give the command again")
    return files[0], dict(zip(part.modules, files[1:], strict=True))
