"""Feature extractors for FID, KID and Inception Score: which there are, and their weights."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from pathlib import Path

from torch_fidelity import register_feature_extractor

from lipbench.errors import RequestError, UnknownNameError
from lipbench.measuring import digits_cnn, inception


@dataclass(frozen=True)
class Extractor:
    """A network whose features are compared.

    Attributes:
        name: as it is registered with torch-fidelity.
        weights: the file of its weights, whose digest is part of every cache name and of every result.
        features: how many numbers it gives for a picture.
        batch_size: pictures at a time.
        shape: the one shape of pictures that it takes; None where any will do, grey ones repeated to three channels.
        kid_gamma: the factor of the inner product in KID's kernel; None is the usual 1 / (number of features).
        no_score: why there is no Inception Score; None where there is one.
        seconds_per_picture: on one core of a CPU, roughly, for forecasts.
    """

    name: str
    weights: Path
    features: int
    batch_size: int
    shape: tuple[int, int, int] | None = None
    kid_gamma: float | None = None
    no_score: str | None = None
    seconds_per_picture: float = 0.0

    @property
    def id(self) -> str:
        """Name and weights, as it stands beside every number."""
        about = self.weights.stat()
        return f"{self.name}@{_digest(self.weights, about.st_size, about.st_mtime_ns)[:8]}"

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
                f"height, width); expected another extractor, such as {inception.NAME}"
            )


def _digits() -> Extractor:
    _register_digits()
    # The 64 features of a digit have a mean square of 63: without the factor their third powers are all that KID shows.
    return Extractor(
        "digits-cnn", digits_cnn.WEIGHTS, features=64, batch_size=500, shape=(1, 8, 8), kid_gamma=1 / 64**2
    )


def _inception() -> Extractor:
    weights = inception.find_weights()
    no_score = inception.check_weights(weights)
    return Extractor(
        inception.NAME, weights, inception.FEATURES, batch_size=64, no_score=no_score, seconds_per_picture=0.15
    )


KNOWN: dict[str, Callable[[], Extractor]] = {"digits-cnn": _digits, inception.NAME: _inception}


def find(name: str) -> Extractor:
    """The extractor of this name, ready for torch-fidelity.

    Raises:
        UnknownNameError: there is none.
        RequestError: its weights are missing or damaged.
    """
    if name not in KNOWN:
        raise UnknownNameError("extractor", name, KNOWN, "It is set by --set evaluate.extractor=NAME.")
    return KNOWN[name]()


@cache  # registering a name twice is an error in torch-fidelity
def _register_digits() -> None:
    register_feature_extractor("digits-cnn", digits_cnn.DigitsExtractor)


@cache  # by size and time of change as well: a file may be replaced while a notebook is open
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
