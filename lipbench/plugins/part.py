"""A plugin as a cell names it: its name, its parameters, and the digests of a user's own file and its modules."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lipbench.plugins import own
from lipbench.plugins.names import written


class Part(BaseModel):
    """A plugin that a cell uses.

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

    @property
    def is_plain(self) -> bool:
        """Whether its name says all of it."""
        return not self.parameters and self.file is None

    def __str__(self) -> str:
        return written(self.name, [(key, _plain(value)) for key, value in self.parameters.items()])


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
