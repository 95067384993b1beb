"""From what is asked (methods × data sets × seeds under one protocol) to the cells, in the order they are run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from lipbench.disk import places
from lipbench.disk.files import read_bytes
from lipbench.errors import PluginError, RequestError, StoreError, UnknownNameError
from lipbench.plugins import own, registry
from lipbench.plugins.card import Card
from lipbench.plugins.names import Name, Names, expand_all
from lipbench.request import protocol
from lipbench.request.cell import Cell, Part
from lipbench.request.schema import AnyProtocol
from lipbench.request.settings import read_parameters

Settings = Literal["shared", "recommended"]


@dataclass(frozen=True)
class Planned:
    """A cell, and where the user's own files that it copies into its folder are now."""

    cell: Cell
    sources: dict[str, Path] = field(default_factory=dict)

    def contents(self) -> dict[str, bytes]:
        """The user's own files, by the names of their copies.

        Raises:
            PluginError: one was changed since it was planned, or cannot be read.
        """
        found = {}
        for name, digest in self.cell.copies.items():
            path = self.sources[name]
            try:
                found[name] = read_bytes(path)
            except (FileNotFoundError, StoreError) as error:
                raise PluginError(f"{str(path)!r} can no longer be read ({error}); give the command again") from None
            if sha256(found[name]).hexdigest() != digest:
                raise PluginError(f"{str(path)!r} was changed after the run was planned; give the command again")
        return found


@dataclass(frozen=True)
class Request:
    """What is asked of a sweep, read and checked.

    Attributes:
        planned: the cells, in the order in which they are run.
        jobs: how many at a time.
    """

    planned: list[Planned]
    jobs: int


@dataclass(frozen=True)
class PlannedData:
    """A data set by itself, and where the user's own file is, if it is one."""

    part: Part
    sources: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class _Composition:
    """One tuple of methods: its parts, its files, and the settings that are recommended for it."""

    parts: tuple[Part, ...]
    sources: dict[str, Path]
    recommended: dict[str, Any]


def plan(
    methods: Names,
    datasets: Names | None,
    seeds: Iterable[int],
    protocol_name: str,
    overrides: Mapping[str, Any],
    settings: Settings = "shared",
) -> list[Planned]:
    """List the cells. The first seed of every method comes before the second of any.

    Args:
        methods: names as in ``gn,gp[weight=1,10],sn+gp,./mine.py``.
        datasets: names; the protocol's own if None.
        seeds: whole numbers from 0.
        protocol_name: a protocol's name, or the path of a TOML file.
        overrides: settings by dotted key, laid over the protocol; they win over what methods recommend.
        settings: ``shared`` gives every method the same protocol, ``recommended`` each its authors' own settings.

    Raises:
        RequestError: anything asked for is not known, not well-formed or not possible.
    """
    data = protocol.read(protocol_name)
    tables = protocol.recommendations(data)
    architecture, files = _architecture(str(overrides.get("architecture", data.get("architecture", ""))))
    overrides = {**overrides, **({"architecture": architecture.name} if architecture.file else {})}
    shared = protocol.check(data, overrides)
    compositions = [_compose(names, tables if settings == "recommended" else None) for names in expand_all(methods)]
    sets = [_dataset(names) for names in expand_all(datasets or shared.datasets)]
    cells: dict[str, Planned] = {}
    for seed in seeds:
        for chosen in sets:
            for composition in compositions:
                cell = Cell(
                    methods=composition.parts,
                    dataset=chosen.part,
                    architecture=architecture,
                    seed=seed,
                    settings=settings,
                    comparison=_comparison(shared, architecture, settings),
                    protocol=protocol.check(data, {**composition.recommended, **overrides}),
                )
                cells.setdefault(cell.run_id, Planned(cell, composition.sources | chosen.sources | files))
    return list(cells.values())


def _comparison(shared: AnyProtocol, architecture: Part, settings: Settings) -> str:
    """Name what may be compared: runs with one such id differ in method, data set and seed alone."""
    suffix = f"-{architecture.version}" if architecture.version else ""
    return shared.id + suffix + ("" if settings == "shared" else f"-{settings}")


def _compose(names: tuple[Name, ...], recommending: dict[str, protocol.Recommended] | None) -> _Composition:
    """Read one tuple of methods, with what `recommending`, a protocol's tables, says of them; None for nothing."""
    text = "+".join(map(str, names))
    stems = [name.stem for name in names]
    for stem in stems:
        if stems.count(stem) > 1:
            raise RequestError(f"{text!r} names {stem} twice; expected each method once")
    parts: list[Part] = []
    scoring: list[str] = []
    sources: dict[str, Path] = {}
    settings: dict[str, Any] = {}
    for name in names:
        if recommending is not None:
            own = _recommended(name, recommending, names)
            settings |= own.settings
            given = [key for key, _ in name.parameters]
            more = [(key, str(value)) for key, value in own.parameters.items() if key not in given]
            name = replace(name, parameters=(*name.parameters, *more))
        copy = "method.py" if not sources else f"method-{len(sources) + 1}.py"
        part, card, files = _part(registry.METHOD, name, copy)
        parts.append(part)
        _own_recommendation(card)  # refused whether it is used or not
        scoring += [card.name] if "score" in card.hooks else []
        sources |= files
    if len(scoring) > 1:
        raise RequestError(
            f"{text!r} has {len(scoring)} methods that replace the critic's score ({', '.join(scoring)}); "
            f"expected at most one"
        )
    return _Composition(tuple(parts), sources, settings)


def _recommended(name: Name, tables: dict[str, protocol.Recommended], asked: tuple[Name, ...]) -> protocol.Recommended:
    """What the protocol recommends for a method, or else the method's own file."""
    known = [*registry.installed(registry.METHOD), *(other.stem for other in asked)]
    for method in tables:
        if method not in known and registry.METHOD.canonical(method) not in known:
            raise UnknownNameError("method", f"recommended.{method}", known, "It is a table of the protocol.")
    found = registry.find(registry.METHOD, name)
    spelt = {registry.METHOD.canonical(method): table for method, table in tables.items()}
    return spelt.get(registry.METHOD.canonical(found.name)) or _own_recommendation(found.card())


def _own_recommendation(card: Card) -> protocol.Recommended:
    """What a method's own file recommends."""
    own = card.constants.get("recommended", {})
    if not isinstance(own, dict):
        raise PluginError(f"recommended of {card.name} is {own!r}; expected a literal dict of settings by dotted key")
    return protocol.Recommended.of(own, f"recommended of {card.name}")


def read_dataset(text: str) -> PlannedData:
    """Read the name of one data set, such as ``folder[path=images,size=32]``.

    Raises:
        RequestError: it is not known, not well-formed, or more than one.
    """
    found = expand_all(text)
    if len(found) != 1:
        raise RequestError(
            f"{text!r} names {len(found)} data sets; expected one: a comma separates names, and inside brackets "
            f'values to sweep over, unless it stands in quotation marks, as in folder[path="a,b"]'
        )
    return _dataset(found[0])


def _dataset(names: tuple[Name, ...]) -> PlannedData:
    if len(names) > 1:
        raise RequestError(f"data sets do not compose: {'+'.join(map(str, names))!r}; separate them by commas")
    part, _, files = _part(registry.DATASET, names[0], "dataset.py")
    return PlannedData(part, files)


def _part(kind: registry.Kind, name: Name, copy: str) -> tuple[Part, Card, dict[str, Path]]:
    found = registry.find(kind, name)
    card = found.card()
    parameters = read_parameters(name, card)
    if found.module is not None:
        return Part(name=found.name, parameters=parameters), card, {}
    part, files = _own_part(Part(name=found.name, parameters=parameters, file=copy), found.path, found.modules)
    return part, card, files


def _own_part(part: Part, path: Path, modules: Mapping[str, Path]) -> tuple[Part, dict[str, Path]]:
    """A part that is a user's own file, with its digests, and where the originals of its copies are."""
    digests = {place: own.digest(file) for place, file in modules.items()}
    part = part.model_copy(update={"sha256": own.digest(path), "modules": digests})
    return part, dict(zip(part.copies, (path, *modules.values()), strict=True))


def is_file(architecture: str) -> bool:
    """Whether networks come from a user's own file, and are not known by a name."""
    return ":" in architecture or Name(architecture).is_path


def _architecture(text: str) -> tuple[Part, dict[str, Path]]:
    """Read ``cnn-8``, or ``./nets.py:make``: a function in the user's own file."""
    file, colon, function = text.rpartition(":")
    if not colon:
        if Name(text).is_path:
            raise RequestError(f"architecture {text!r} names no function; expected the form ./nets.py:make")
        return Part(name=text), {}
    path = places.expanded(file)
    if path.suffix != ".py" or not function.isidentifier():
        raise RequestError(f"architecture {text!r} is not a function in a file; expected the form ./nets.py:make")
    if not path.is_file():
        raise RequestError(f"there is no file {file!r}; expected the form ./nets.py:make, a file and a function in it")
    return _own_part(Part(name=f"{path.stem}:{function}", file="architecture.py"), path, own.modules(path))
