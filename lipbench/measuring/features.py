"""Features of pictures: an extractor's network, loaded once, and what it gives, checked."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import file_digest, sha256
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from lipbench.errors import LipbenchError, PluginError, RequestError
from lipbench.interfaces.extractor import Extractor
from lipbench.plugins.explain import explain
from lipbench.train.streams import generator, seeded

LAYERS = ("features", "logits")
TRIAL = (3, 32, 32)  # pictures with which an extractor is tried that takes any
ALONE = 1e-3  # of the largest feature: a picture in a batch and by itself differ by less


class Features:
    """An extractor, loaded and tried.

    Args:
        plugin: the extractor.
        name: as it was asked for, with its parameters.
        version: the digest of its own file; empty for those of lipbench.

    Attributes:
        id: name and digest, as it stands beside every number: of the weights' file, or of the network's tensors where
            there is none; and of a user's own file.
        features: how many numbers it gives for a picture.
        layers: what `extract` gives.
        no_score: why there is no Inception Score; None where there is one.
        batch_size, shape, kid_gamma, seconds_per_picture: as of `Extractor`.

    Raises:
        RequestError: its weights are missing or damaged.
        PluginError: it is no extractor, or gives something else than it says.
    """

    def __init__(self, plugin: Extractor, name: str, version: str = "") -> None:
        self.name = name
        self.features: int = self._said(plugin, "features", _is_count, "how many it gives for a picture, such as 64")
        self.batch_size: int = self._said(plugin, "batch_size", _is_count, "a whole number of pictures")
        self.shape: tuple[int, int, int] | None = self._said(
            plugin, "shape", _is_shape, "channels, height and width, such as (3, 64, 64), or None"
        )
        self.kid_gamma: float | None = self._said(
            plugin, "kid_gamma", lambda value: value is None or _is_positive(value), "a number above 0, or None"
        )
        self.seconds_per_picture: float = self._said(
            plugin, "seconds_per_picture", lambda value: value == 0 or _is_positive(value), "a number of seconds"
        )
        file = Path(inspect.getfile(type(plugin)))
        self._files = {file: file}
        # Weights that are drawn are the same ones each time, and shift nothing.
        with self._explained("loads", "load(self) that returns a torch.nn.Module"), seeded(0, "extractor"):
            weights, network = plugin.weights(), plugin.load()
            digest = "" if weights is None else _of_file(Path(weights))
        if not isinstance(network, nn.Module):
            raise PluginError(
                f"load of extractor {name} returns {_kind(network)}; expected a torch.nn.Module that takes bytes "
                f"(n, c, h, w)"
            )
        self._network = network.cpu().requires_grad_(False).eval()
        digest = digest or _of_state(self._network)
        # That of the weights by itself stands beside numbers of before.
        self.id = f"{name}@{(sha256((digest + version).encode()).hexdigest() if version else digest)[:8]}"
        self.layers: tuple[str, ...] = ()
        self.layers = tuple(self._try())
        nothing = f"No Inception Score: extractor {name} gives features alone, and no logits of classes."
        self.no_score: str | None = None if "logits" in self.layers else getattr(network, "no_score", nothing)

    def check_shape(self, shape: tuple[int, int, int], what: str) -> None:
        """See that it takes pictures of this shape.

        Raises:
            RequestError: it does not.
        """
        if self.shape is None and shape[0] not in (1, 3):
            raise RequestError(f"{what} has {shape[0]} channels; extractor {self.name} expects 1 or 3")
        if self.shape not in (None, shape):
            raise RequestError(
                f"extractor {self.name} takes pictures of shape {self.shape}, but {what} has {shape} (channels, "
                f"height, width); expected another extractor, such as inception-v3-compat"
            )

    @torch.no_grad()
    def extract(self, pictures: UInt8[Tensor, "n c h w"], *, cuda: bool = False) -> dict[str, Tensor]:
        """Run pictures through the network, batch by batch.

        Args:
            pictures: bytes, on any device.
            cuda: whether to run it on a GPU.

        Returns:
            ``features``, (n, k), and ``logits``, (n, classes), if it gives them; on the CPU.

        Raises:
            PluginError: it gives something else.
        """
        device = "cuda" if cuda else "cpu"
        self._network.to(device)
        try:
            found = [self._run(part.to(device)) for part in pictures.split(self.batch_size)]
        finally:
            self._network.cpu()  # between evaluations its memory is the training's
        return {layer: torch.cat([each[layer] for each in found]) for layer in found[0]}

    def _said(self, plugin: Extractor, key: str, fits: Callable[[Any], bool], expected: str) -> Any:
        value = getattr(plugin, key, None)
        if not fits(value):
            raise PluginError(f"{key} of extractor {self.name} is {value!r}; expected {expected}")
        return value

    @contextmanager
    def _explained(self, doing: str, expected: str) -> Iterator[None]:
        try:
            yield
        except (LipbenchError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # whatever a user's extractor raises
            said = explain(error, self._files)
            raise PluginError(f"extractor {self.name} fails while it {doing}: {said}; expected {expected}") from error

    @torch.no_grad()
    def _try(self) -> dict[str, Tensor]:
        """Run two pictures together, and one of them by itself."""
        drawn = torch.randint(0, 256, (2, *(self.shape or TRIAL)), generator=generator(0, "trial of an extractor"))
        both, one = (self._run(drawn[:count].to(torch.uint8)) for count in (2, 1))
        for layer, numbers in both.items():
            if not torch.allclose(numbers[:1], one[layer], rtol=ALONE, atol=ALONE * float(numbers.abs().max())):
                raise PluginError(
                    f"extractor {self.name} gives other {layer} for a picture in a batch than for the same picture by "
                    f"itself, in eval mode; expected a function of each picture, without random numbers and without "
                    f"what mixes the pictures of a batch"
                )
        return both

    def _run(self, pictures: Tensor) -> dict[str, Tensor]:
        """What the network gives for one batch, on the CPU; one channel is repeated to three where it takes any."""
        channels = 3 if self.shape is None else pictures.shape[1]
        cure = "" if self.shape else "; one that takes pictures of one shape alone says so: shape = (3, 64, 64)"
        shape = tuple(pictures.shape)
        with self._explained(f"runs on bytes of the shape {shape}", f"a module that takes them{cure}"):
            given = self._network(pictures.expand(-1, channels, -1, -1).contiguous())
        parts = list(given) if isinstance(given, tuple | list) else [given]
        layers = self.layers or LAYERS[: len(parts)]
        if len(parts) != len(layers) or not all(isinstance(part, Tensor) for part in parts):
            raise self._refused(f"{_kind(given)} of {len(parts)}" if len(parts) > 1 else _kind(given), len(pictures))
        found = {}
        for layer, part in zip(layers, parts, strict=True):
            wide = part.ndim == 2 and len(part) == len(pictures) and part.shape[1] > 0
            if not wide or (layer == "features" and part.shape[1] != self.features):
                raise self._refused(f"{layer} of the shape {tuple(part.shape)}", len(pictures))
            if not part.is_floating_point():
                raise self._refused(f"{layer} of {part.dtype}", len(pictures))
            if lost := int((~part.isfinite()).any(dim=1).sum()):
                raise PluginError(
                    f"extractor {self.name} gives {layer} that are NaN or infinite for {lost} of {len(pictures)} "
                    f"pictures; expected finite numbers: look at its weights, and at how it scales bytes from 0 to 255"
                )
            found[layer] = part.cpu() if part.dtype == torch.float64 else part.float().cpu()
        return found

    def _refused(self, what: str, count: int) -> PluginError:
        return PluginError(
            f"extractor {self.name} gives {what} for {count} pictures; expected floating-point features of the shape "
            f"({count}, {self.features}), as it says by features = {self.features}, or a pair of them and logits "
            f"({count}, classes)"
        )


def _of_file(path: Path) -> str:
    about = path.stat()
    return _digest(path, about.st_size, about.st_mtime_ns)


@cache  # by size and time of change as well: a file may be replaced while a notebook is open
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _of_state(network: nn.Module) -> str:
    held = network.state_dict() | dict(network.named_buffers())  # some of which are not to be saved
    for place, module in network.named_modules():
        held |= {f"{place}.{name}": value for name, value in vars(module).items()}
    found = sha256()
    for name, value in held.items():
        if isinstance(value, Tensor):
            found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            found.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _kind(thing: object) -> str:
    return "nothing (None)" if thing is None else f"a {type(thing).__name__}"


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value) and value > 0


def _is_shape(value: Any) -> bool:
    return value is None or (isinstance(value, tuple) and len(value) == 3 and all(map(_is_count, value)))
