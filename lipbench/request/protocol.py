"""Protocols by name and from files, and settings as they are given: read, laid over, checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from lipbench.disk.files import read_text
from lipbench.disk.places import expanded
from lipbench.errors import RequestError, StoreError, UnknownNameError, together
from lipbench.request.schema import AnyProtocol, Model, model_of

FOLDER = Path(__file__).parent / "protocols"
TRAINED = ("critic", "generator of points")  # what a protocol may say that it trains
OWN = "parameters."  # begins what is recommended for a method's own parameters


def named() -> list[str]:
    """The names of the protocols that come with lipbench."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> dict[str, Any]:
    """Read a protocol, by name or from a file that ends in .toml, as plain data that is not yet checked.

    Raises:
        RequestError: there is no such protocol, or the file is not TOML.
    """
    path = expanded(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in named():
        raise UnknownNameError("protocol", name, named(), "A file of your own is named by its path: ./mine.toml.")
    try:
        return tomllib.loads(read_text(path).removeprefix("\ufeff"))
    except FileNotFoundError:
        raise RequestError(f"there is no protocol file {name!r}; expected the path of a TOML file") from None
    except StoreError as error:
        raise RequestError(f"protocol file {name!r} cannot be used: {error}") from None
    except (RecursionError, tomllib.TOMLDecodeError) as error:
        raise RequestError(f"protocol file {name!r} cannot be read: {error}") from None


@dataclass(frozen=True)
class Recommended:
    """What a method's authors ran it with.

    Attributes:
        settings: of the protocol, by dotted key.
        parameters: of the method itself.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Any, place: str) -> "Recommended":
        """Read the table of one method, nested or by dotted key.

        Args:
            table: what stands there.
            place: where, for the message.

        Raises:
            RequestError: it is no table, or sets what all methods of a comparison must share.
        """
        if not isinstance(table, dict):
            raise RequestError(
                f"{place} is {table!r}; expected a table of settings, such as loss or train.critic_steps"
            )
        flat = _dotted(table)
        parameters = {key.removeprefix(OWN): flat.pop(key) for key in list(flat) if str(key).startswith(OWN)}
        for key, value in flat.items():
            if key != "loss" and not str(key).startswith("train."):
                raise RequestError(
                    f"{place} sets {key} to {value!r}; expected loss, train.… or {OWN}… alone: the methods of a "
                    f"comparison share all else, as the protocol or --set says it"
                )
        return cls(flat, parameters)


def recommendations(data: dict[str, Any]) -> dict[str, Recommended]:
    """The tables ``[recommended.<method>]`` of a protocol, by the names that they give.

    Raises:
        RequestError: one is no table, or sets what all methods of a comparison must share.
    """
    tables = data.get("recommended", {})
    if not isinstance(tables, dict):
        raise RequestError(f"recommended is {tables!r}; expected a table for each method, such as [recommended.gp]")
    return {name: Recommended.of(table, f"[recommended.{name}]") for name, table in tables.items()}


def _dotted(table: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= {f"{key}.{inner}": item for inner, item in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def text(name: str) -> str:
    """The text of a protocol that comes with lipbench, to start one's own from.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in named():
        raise UnknownNameError("protocol", name, named(), "`lipbench protocols` describes them.")
    return (FOLDER / f"{name}.toml").read_text(encoding="utf-8")


def quick(data: dict[str, Any]) -> dict[str, Any]:
    """The settings of a smoke run under a protocol, by dotted key."""
    return dict(model_of(data).quick)


def check(data: dict[str, Any], overrides: dict[str, Any]) -> AnyProtocol:
    """Lay `overrides` (by dotted key) over `data` and check the whole, what is recommended for methods aside.

    Raises:
        UnknownNameError: a key is not known.
        RequestError: a value is missing or out of range.
    """
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    merged.pop("recommended", None)
    if "trains" in overrides:
        raise RequestError(
            f"trains is {overrides['trains']!r}; expected what the protocol says, as all else of it depends on it: "
            f"choose another, such as --protocol w1"
        )
    if merged.get("trains", TRAINED[0]) not in TRAINED:
        raise RequestError(
            f"trains is {merged['trains']!r}; expected {' or '.join(map(repr, TRAINED))}, or nothing where it "
            f"trains a generator of pictures"
        )
    for dotted, value in overrides.items():
        table, _, key = dotted.rpartition(".")
        if table and not isinstance(merged.setdefault(table, {}), dict):
            raise _unknown(dotted, model_of(merged))
        (merged[table] if table else merged)[key] = value
    model = model_of(merged)
    try:
        return model.model_validate(merged)
    except ValidationError as errors:
        raise _explain(errors, model) from None


def _keys(model: type[BaseModel]) -> list[str]:
    """Every dotted key of a protocol."""
    found: list[str] = []
    for key, field_info in model.model_fields.items():
        table = field_info.annotation
        if isinstance(table, type) and issubclass(table, BaseModel):
            found += [f"{key}.{inner}" for inner in table.model_fields]
        else:
            found.append(key)
    return found


def _unknown(key: str, model: type[BaseModel]) -> UnknownNameError:
    return UnknownNameError("setting", key, _keys(model), "Settings are given as --set train.batch_size=64.")


def _explain(errors: ValidationError, model: Model) -> RequestError:
    found: list[RequestError] = []
    missing: list[str] = []
    for error in errors.errors():
        key = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            found.append(_unknown(key, model))
        elif error["type"] == "missing" and isinstance(error["loc"][-1], str):
            missing.append(repr(key))
        else:
            message = error["msg"].replace("Input should be", "expected")
            message = message.replace("Field required", "expected one more value")
            found.append(RequestError(f"setting {key} is {error['input']!r}; {message}"))
    if missing:
        what = f"setting {missing[0]} is" if len(missing) == 1 else f"settings {', '.join(missing)} are"
        found.append(RequestError(f"{what} missing; `lipbench protocols {model.example}` shows every key with a value"))
    return found[0] if len(found) == 1 else RequestError(together(list(map(str, found))))


def read_setting(text: str) -> tuple[str, Any]:
    """Read ``train.batch_size=64`` as a dotted key and a value in TOML's notation; other text stays text.

    Raises:
        RequestError: there is no equals sign, or a side is empty.
    """
    key, equals, value = (piece.strip() for piece in text.partition("="))
    if not (key and equals and value):
        raise RequestError(f"{text!r} is not a setting; expected the form train.batch_size=64")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def with_arguments(overrides: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted key, and with them those that are arguments of their own; None is none.

    Raises:
        RequestError: one is given in both ways, with two values.
    """
    given = {key: value for key, value in arguments.items() if value is not None}
    for key, value in given.items():
        if overrides.get(key, value) != value:
            raise RequestError(f"setting {key} is given twice, as {overrides[key]!r} and {value!r}; expected one value")
    return {**overrides, **given}
