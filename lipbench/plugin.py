"""What methods and datasets have in common: a class whose annotated fields are parameters, set by name."""

from dataclasses import dataclass
from typing import Any, dataclass_transform


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Plugin:
    """The base of everything that a plugin file may define.

    Every subclass becomes a frozen dataclass by itself: a plugin file needs no decorator and cannot forget it.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)
