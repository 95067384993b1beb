"""A cell: one method on one data set with one seed, complete enough to be run by anyone who has its folder."""

import re
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from lipbench.errors import StoreError, shortened, together
from lipbench.plugins import own
from lipbench.plugins.names import written
from lipbench.request.schema import MODELS, AnyProtocol, Protocol, adversarial


class Part(BaseModel):
    """A plugin that the cell uses.

    Attributes:
        name: as it stands in reports.
        parameters: those that differ from their defaults, typed.
        file: the copy in the run folder, where the plugin is the user's own file.
        sha256: the digest of that file.
        modules: the digests of the modules of the user's own that it imports, by their places in a folder beside the
            copy that bears its name: ``method/blocks.py`` of ``method.py``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    parameters: dict[str, bool | int | float | str] = {}
    file: str | None = None
    sha256: str | None = None
    modules: dict[str, str] = Field(default={}, exclude_if=lambda value: not value)

    @property
    def copies(self) -> dict[str, str]:
        """The digest of each copy in the run folder."""
        if self.file is None or self.sha256 is None:
            return {}
        folder = self.file.removesuffix(".py")
        return {self.file: self.sha256, **{f"{folder}/{place}": digest for place, digest in self.modules.items()}}

    @property
    def version(self) -> str:
        """What tells one text of a user's own file and its modules from another, in names; empty for a built-in."""
        return own.version(self.sha256, self.modules)[:6] if self.sha256 else ""

    def __str__(self) -> str:
        return written(self.name, [(key, _plain(value)) for key, value in self.parameters.items()])


class Cell(BaseModel):
    """What was asked of one run, with every default filled in. Its JSON text is what is hashed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    methods: tuple[Part, ...]
    dataset: Part
    architecture: Part
    seed: int
    settings: Literal["shared", "recommended"]
    comparison: str
    protocol: AnyProtocol

    @property
    def adversarial(self) -> Protocol:
        """The protocol of a run that trains a generator against its critic.

        Raises:
            RequestError: the run trains a critic alone.
        """
        return adversarial(self.protocol)

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
        parts = (*self.methods, self.dataset, self.architecture)
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


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+]+", "-", text).strip("-")[:60]
