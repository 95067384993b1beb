"""What methods and datasets have in common: a class whose annotated fields are parameters, set by name."""

import dataclasses
import inspect
from typing import Any, ClassVar, dataclass_transform

MISSING: Any = dataclasses.MISSING  # the default of a parameter that has none


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Plugin:
    """The base of everything that a plugin file may define.

    Every subclass is made from its annotated fields, by keyword, and cannot be changed afterwards: a plugin file needs
    no decorator. It may have one: `dataclasses.dataclass` finds all it would make here already.

    Raises:
        TypeError: a class defines `__init__`, or one hook in two spellings; or a parameter is not known or lacks a
            value.
    """

    _spellings: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("__init__", _initialise) is not _initialise:
            raise TypeError(f"{cls.__name__} defines __init__; {OWN_INIT}")
        # In each class's own namespace, where a decorator of the author's leaves it as it is.
        cls.__init__ = _initialise  # type: ignore[method-assign]  # its parameters are those of the class
        for name, value in list(vars(cls).items()):
            if isinstance(value, dataclasses.Field) and value.default is not MISSING:
                setattr(cls, name, value.default)
        for other, hook in cls._spellings.items():
            if other in vars(cls):
                if vars(cls).get(hook, vars(cls)[other]) is not vars(cls)[other]:
                    raise TypeError(f"{cls.__name__} defines both {hook} and {other}, which are one hook; keep one")
                setattr(cls, hook, vars(cls)[other])

    def __post_init__(self) -> None:
        """Check the values; called when all are set."""

    def __setattr__(self, name: str, value: Any) -> None:
        raise dataclasses.FrozenInstanceError(
            f"cannot set {name!r}: a plugin keeps nothing from one call to the next, so that a run can go on anywhere"
        )

    def __delattr__(self, name: str) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


OWN_INIT = (
    "expected annotated fields with their defaults instead, such as weight: float = 10.0, and __post_init__ for checks"
)


def _initialise(self: Plugin, **given: Any) -> None:
    known = parameters(type(self))
    if unknown := given.keys() - known.keys():
        raise TypeError(f"{type(self).__name__} has no parameter {', '.join(sorted(unknown))}")
    for name, (_, default) in known.items():
        value = given.get(name, default)
        if value is MISSING:
            raise TypeError(f"{type(self).__name__} lacks a value of {name}")
        object.__setattr__(self, name, value)
    self.__post_init__()


def parameters(of: type[Plugin]) -> dict[str, tuple[str, Any]]:
    """The annotated fields of a class: the name of each one's type, and its default, `MISSING` if it has none."""
    types: dict[str, str] = {}
    for base in reversed(of.__mro__):
        if issubclass(base, Plugin):
            for name, kind in inspect.get_annotations(base).items():
                text = kind.strip("'\"") if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
                if "ClassVar" not in str(kind):
                    types[name] = text
    return {name: (text, getattr(of, name, MISSING)) for name, text in types.items()}
