"""Feature extractors for FID, KID and Inception Score: which there are, and their weights."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from torch_fidelity import FeatureExtractorBase, register_feature_extractor

from lipbench.errors import UnknownNameError
from lipbench.measure.digits_cnn import WEIGHTS, DigitsExtractor


@dataclass(frozen=True)
class Extractor:
    """A network whose features are compared.

    Attributes:
        name: as it is registered with torch-fidelity.
        defined: its class.
        weights: the file of its weights, whose digest is part of every cache name and of every result.
        kid_gamma: the factor of the inner product in KID's kernel; None is the usual 1 / (number of features).
    """

    name: str
    defined: type[FeatureExtractorBase]
    weights: Path
    kid_gamma: float | None = None

    @property
    def id(self) -> str:
        """Name and weights, as it stands beside every number."""
        return f"{self.name}@{sha256(self.weights.read_bytes()).hexdigest()[:8]}"


# The 64 features of a digit have a mean square of 63: without the factor their third powers are all that KID shows.
_DIGITS = Extractor("digits-cnn", DigitsExtractor, WEIGHTS, kid_gamma=1 / 64**2)

KNOWN = {extractor.name: extractor for extractor in (_DIGITS,)}


@cache  # registering a name twice is an error in torch-fidelity
def find(name: str) -> Extractor:
    """The extractor of this name, ready for torch-fidelity.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in KNOWN:
        raise UnknownNameError("extractor", name, KNOWN, "It is set by --set evaluate.extractor=NAME.")
    register_feature_extractor(name, KNOWN[name].defined)
    return KNOWN[name]
