"""A cell: one method on one data set with one seed, complete enough to be run by anyone who has its folder."""

import re
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from lipbench.errors import StoreError, shortened, together
from lipbench.plugins.part import Part
from lipbench.request.schema import MODELS, AnyProtocol, Protocol, adversarial

CURVE_EXTRACTOR = "curve_extractor"  # what the copy of a user's own is called


class Cell(BaseModel):
    """What was asked of one run, with every default filled in. Its JSON text is what is hashed.

    Attributes:
        comparison: names what may be compared: runs with one such id differ in method, data set and seed alone.
        plugins: the loss, the extractors and the measures, by the names of their copies, where a name in the protocol
            does not say all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: tuple[Part, ...]
    dataset: Part
    architecture: Part
    seed: int
    settings: Literal["shared", "recommended"]
    comparison: str
    protocol: AnyProtocol
    plugins: dict[str, Part] = Field(default={}, exclude_if=lambda value: not value)

    @property
    def adversarial(self) -> Protocol:
        """The protocol of a run that trains a generator of pictures against its critic.

        Raises:
            RequestError: the run trains a critic alone, or a generator of points.
        """
        return adversarial(self.protocol)

    @property
    def latent_dim(self) -> int:
        """Numbers in a latent of the generator.

        Raises:
            RequestError: the run trains a critic alone.
        """
        if self.protocol.trains == "critic":
            return adversarial(self.protocol).train.latent_dim
        return self.protocol.train.latent_dim

    @property
    def loss(self) -> Part:
        """The loss."""
        return self.plugins.get("loss", Part(name=self.protocol.loss))

    @property
    def extractor(self) -> Part:
        """The extractor; errors as of `adversarial`."""
        return self.plugins.get("extractor", Part(name=self.adversarial.evaluate.extractor))

    @property
    def curve_extractor(self) -> Part | None:
        """The extractor of evaluations before the last, where it is another; errors as of `adversarial`."""
        name = self.adversarial.evaluate.curve_extractor
        return self.plugins.get(CURVE_EXTRACTOR, Part(name=name)) if name else None

    @property
    def measures(self) -> list[Part]:
        """What is measured besides what every run measures."""
        return [part for name, part in self.plugins.items() if name.startswith("measure")]

    @property
    def method(self) -> str:
        """The canonical text, such as ``sn+gp[weight=1.0]``."""
        return "+".join(map(str, self.methods))

    @property
    def comparison_id(self) -> str:
        """Names data set and protocol: runs that share it may be compared."""
        version = f"-{self.dataset.version}" if self.dataset.version else ""
        return comparison_id(str(self.dataset), version, self.comparison)

    @property
    def copies(self) -> dict[str, str]:
        """The digests of the copies of the user's own files in the run folder, by their names."""
        parts = (*self.methods, self.dataset, self.architecture, *self.plugins.values())
        return {name: digest for part in parts for name, digest in part.copies.items()}

    def to_json(self) -> str:
        """The text of ``cell.json``."""
        return self.model_dump_json(indent=1) + "\n"

    @property
    def run_id(self) -> str:
        """The name of the run folder, such as ``gn-digits-s0-3f9a1c07b2``."""
        digest = sha256(self.to_json().encode()).hexdigest()[:10]
        return run_id(self.method, str(self.dataset), self.seed, digest)


def comparison_id(dataset: str, version: str, comparison: str) -> str:
    """A name for files of what is compared.

    Args:
        dataset: its canonical text.
        version: of a user's own data set, or empty.
        comparison: the id of the protocol.
    """
    return f"{file_name(dataset)}{version}-{file_name(comparison)}"


def file_name(text: str) -> str:
    """A text as a part of a file's name; two that have one slug are told apart by their digests."""
    name = _slug(text)
    return name if name == text else f"{name}-{sha256(text.encode()).hexdigest()[:6]}"


def run_id(method: str, dataset: str, seed: int, digest: str) -> str:
    """A name for a run that can be a folder's."""
    return f"{_slug(method)}-{_slug(dataset)}-s{seed}-{digest}"


def parse(text: str, place: str) -> Cell:
    """Read the text of a ``cell.json``.

    Raises:
        StoreError: it is not one.
    """
    try:
        return Cell.model_validate_json(text)
    except ValidationError as error:
        said = together([_complaint(each) for each in error.errors()])
        raise StoreError(
            f"{place} is not the description of a run: {said}. It may be half-written or from another version of "
            f"lipbench; move the folder away and run again"
        ) from None


def _complaint(error: ErrorDetails) -> str:
    # Pydantic names the model among the keys.
    where = ".".join(str(part) for part in error["loc"] if part not in MODELS) or "the text"
    if error["type"] in ("missing", "json_invalid"):
        return f"{where}: {error['msg']}"
    return f"{where} is {shortened(repr(error['input']))}; {error['msg'].replace('Input should be', 'expected')}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+]+", "-", text).strip("-")[:60]
