"""The plugins that a request names, one by one: read, found and resolved."""

from lipbench.disk.places import expanded
from lipbench.errors import PluginError, RequestError
from lipbench.measures import is_taken
from lipbench.plugins import own, registry
from lipbench.plugins.kinds import ARCHITECTURE, MEASURE, Kind
from lipbench.plugins.names import Name, expand_all
from lipbench.plugins.part import Part
from lipbench.plugins.registry import Resolved


def copy_name(kind: Kind, before: int) -> str:
    """What the copy of a user's own file is called, where so many are there already."""
    return f"{kind.copy}-{before + 1}" if before else kind.copy


def read_one(kind: Kind, text: str, copy: str | None = None) -> Resolved:
    """Read the name of one plugin, such as ``folder[path=images,size=32]``.

    Args:
        kind: of plugin.
        text: its name.
        copy: what the copy of a user's own file is called, without its ending; as its kind says if None.

    Raises:
        RequestError: it is not known, not well-formed, or more than one.
    """
    found = expand_all(text)
    if len(found) != 1:
        raise RequestError(
            f"{text!r} names {len(found)} {kind.many}; expected one: a comma separates names, and inside brackets "
            f'values to sweep over, unless it stands in quotation marks, as in folder[path="a,b"]'
        )
    return resolve_one(kind, found[0], copy)


def read_measures(text: str) -> dict[str, Resolved]:
    """Read the names of measures, none in an empty text, by those of their copies.

    Raises:
        RequestError: one is not known or not well-formed, or two give one column.
    """
    found: dict[str, Resolved] = {}
    owners: dict[str, str] = {}
    for names in expand_all(text) if text else []:
        measure = resolve_one(MEASURE, names, copy_name(MEASURE, len(found)))
        if measure.part.name in [other.part.name for other in found.values()]:
            raise RequestError(f"{text!r} names measure {measure.part.name} more than once; expected each once")
        found[copy_name(MEASURE, len(found))] = measure
        assert measure.card is not None  # a measure is a class
        columns = measure.card.constants.get("columns") or {measure.card.name: {}}
        for column in columns if isinstance(columns, dict) else []:  # others are refused, or known, when imported
            if column in owners or is_taken(str(column)):
                raise RequestError(
                    f"measure {measure.part} gives the column {column}, which {owners.get(column, 'every run')} gives "
                    f"already; expected another name: that of a measure of yours is the name of its file, or stands in "
                    f"its columns"
                )
            owners[column] = f"measure {measure.part}"
    return found


def resolve_one(kind: Kind, names: tuple[Name, ...], copy: str | None = None) -> Resolved:
    """Resolve a plugin of a kind that does not compose; errors as of `read_one`."""
    if len(names) > 1:
        raise RequestError(f"{kind.many} do not compose: {'+'.join(map(str, names))!r}; separate them by commas")
    return registry.resolve(kind, names[0], copy)


def read_architecture(text: str) -> Resolved:
    """Read ``cnn-8[width=8]``, ``./nets.py`` for a class, or ``./nets.py:make`` for a function in a user's own file.

    Raises:
        RequestError: it is not known or not well-formed, or there is no such file.
    """
    if ":" not in text:
        try:
            return read_one(ARCHITECTURE, text)
        except PluginError as error:
            function = f"; for a function in the file, expected the form {text}:make" if Name(text).is_path else ""
            raise PluginError(f"{str(error).removesuffix('.')}{function}") from None
    file, _, function = text.rpartition(":")
    path = expanded(file)
    if path.suffix != ".py" or not function.isidentifier():
        raise RequestError(f"architecture {text!r} is not a function in a file; expected the form ./nets.py:make")
    if not path.is_file():
        raise RequestError(f"there is no file {file!r}; expected the form ./nets.py:make, a file and a function in it")
    return registry.copied(Part(name=f"{path.stem}:{function}"), path, own.modules(path), ARCHITECTURE.copy)
