"""From what is asked (methods × data sets × seeds under one protocol) to the cells, in the order they are run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from lipbench.disk.files import read_bytes
from lipbench.errors import PluginError, RequestError, StoreError, UnknownNameError
from lipbench.plugins import registry
from lipbench.plugins.card import Card
from lipbench.plugins.kinds import ARCHITECTURE, DATASET, EXTRACTOR, LOSS, METHOD
from lipbench.plugins.names import Name, Names, expand_all
from lipbench.plugins.registry import Resolved
from lipbench.request import protocol
from lipbench.request.cell import CURVE_EXTRACTOR, Cell
from lipbench.request.named import copy_name, read_architecture, read_measures, read_one, resolve_one
from lipbench.request.schema import AnyProtocol, Protocol

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
        jobs: how many at a time; None for as many as the launcher thinks right.
    """

    planned: list[Planned]
    jobs: int | None


@dataclass(frozen=True)
class _Composition:
    """One tuple of methods: its plugins, and the settings that are recommended for it."""

    methods: list[Resolved]
    recommended: dict[str, Any]


@dataclass(frozen=True)
class _Shared:
    """What is left when methods, data set and seed are taken away: a protocol and the plugins that it names.

    Attributes:
        plugins: by the names of their copies.
    """

    protocol: AnyProtocol
    plugins: dict[str, Resolved]

    @property
    def comparison(self) -> str:
        """Names what may be compared."""
        return self.protocol.id + "".join(f"-{each.part.version}" for each in self.plugins.values() if each.part.file)


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
    shared = _settle(data, overrides)
    comparison = shared.comparison + ("" if settings == "shared" else f"-{settings}")
    compositions = [_compose(names, tables if settings == "recommended" else None) for names in expand_all(methods)]
    own = [_settle(data, {**each.recommended, **overrides}) if each.recommended else shared for each in compositions]
    sets = [resolve_one(DATASET, names) for names in expand_all(datasets or shared.protocol.datasets)]
    cells: dict[str, Planned] = {}
    for seed in seeds:
        for chosen in sets:
            for composition, settled in zip(compositions, own, strict=True):
                plugins = {name: each.part for name, each in settled.plugins.items() if name != ARCHITECTURE.copy}
                cell = Cell(
                    methods=tuple(each.part for each in composition.methods),
                    dataset=chosen.part,
                    architecture=settled.plugins[ARCHITECTURE.copy].part,
                    seed=seed,
                    settings=settings,
                    comparison=comparison,
                    protocol=settled.protocol,
                    plugins={name: part for name, part in plugins.items() if not part.is_plain or "measure" in name},
                )
                used = (*composition.methods, chosen, *settled.plugins.values())
                sources = {name: path for each in used for name, path in each.sources.items()}
                cells.setdefault(cell.run_id, Planned(cell, sources))
    return list(cells.values())


def _settle(data: dict[str, Any], overrides: Mapping[str, Any]) -> _Shared:
    """Check a protocol under `overrides`, and resolve what it names: its texts become the plugins' own names."""
    found = protocol.check(data, dict(overrides))
    plugins = {
        ARCHITECTURE.copy: read_architecture(found.architecture),
        LOSS.copy: read_one(LOSS, found.loss),
    }
    evaluate = {}
    if isinstance(found, Protocol):
        plugins[EXTRACTOR.copy] = read_one(EXTRACTOR, found.evaluate.extractor)
        evaluate["extractor"] = str(plugins[EXTRACTOR.copy].part)
        if curve := found.evaluate.curve_extractor:
            plugins[CURVE_EXTRACTOR] = read_one(EXTRACTOR, curve, CURVE_EXTRACTOR)
            evaluate["curve_extractor"] = str(plugins[CURVE_EXTRACTOR].part)
    asked = read_measures(found.evaluate.measures)
    if asked:
        evaluate["measures"] = ",".join(str(each.part) for each in asked.values())
    changed = {
        "architecture": str(plugins[ARCHITECTURE.copy].part),
        "loss": str(plugins[LOSS.copy].part),
        "evaluate": found.evaluate.model_copy(update=evaluate),
    }
    return _Shared(found.model_copy(update=changed), plugins | asked)


def _compose(names: tuple[Name, ...], recommending: dict[str, protocol.Recommended] | None) -> _Composition:
    """Read one tuple of methods, with what `recommending`, a protocol's tables, says of them; None for nothing."""
    text = "+".join(map(str, names))
    stems = [name.stem for name in names]
    for stem in stems:
        if stems.count(stem) > 1:
            raise RequestError(f"{text!r} names {stem} twice; expected each method once")
    methods: list[Resolved] = []
    scoring: list[str] = []
    settings: dict[str, Any] = {}
    copies = 0
    for name in names:
        if recommending is not None:
            own = _recommended(name, recommending, names)
            settings |= own.settings
            given = [key for key, _ in name.parameters]
            more = [(key, str(value)) for key, value in own.parameters.items() if key not in given]
            name = replace(name, parameters=(*name.parameters, *more))
        found = registry.resolve(METHOD, name, copy_name(METHOD, copies))
        copies += found.part.file is not None
        methods.append(found)
        assert found.card is not None  # a method is a class
        _own_recommendation(found.card)  # refused whether it is used or not
        scoring += [found.card.name] if "score" in found.card.hooks else []
    if len(scoring) > 1:
        raise RequestError(
            f"{text!r} has {len(scoring)} methods that replace the critic's score ({', '.join(scoring)}); "
            f"expected at most one"
        )
    return _Composition(methods, settings)


def _recommended(name: Name, tables: dict[str, protocol.Recommended], asked: tuple[Name, ...]) -> protocol.Recommended:
    """What the protocol recommends for a method, or else the method's own file."""
    known = [*registry.installed(METHOD), *(other.stem for other in asked)]
    for method in tables:
        if method not in known and METHOD.canonical(method) not in known:
            raise UnknownNameError("method", f"recommended.{method}", known, "It is a table of the protocol.")
    found = registry.find(METHOD, name)
    spelt = {METHOD.canonical(method): table for method, table in tables.items()}
    return spelt.get(METHOD.canonical(found.name)) or _own_recommendation(found.card)


def _own_recommendation(card: Card) -> protocol.Recommended:
    """What a method's own file recommends."""
    own = card.constants.get("recommended", {})
    if not isinstance(own, dict):
        raise PluginError(f"recommended of {card.name} is {own!r}; expected a literal dict of settings by dotted key")
    return protocol.Recommended.of(own, f"recommended of {card.name}")
