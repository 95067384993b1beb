"""Turns the text of a parameter or setting into a value of the right type, or says what was wrong."""

import math
import tomllib
from collections.abc import Mapping
from typing import Any

from lipbench.errors import RequestError, UnknownNameError
from lipbench.interfaces.plugin import MISSING
from lipbench.plugins.card import Card
from lipbench.plugins.interface import TYPES
from lipbench.plugins.names import Name


def read_parameters(name: Name, described: Card) -> dict[str, Any]:
    """The parameters that `name` gives, typed by the plugin's own annotations; defaults are left out.

    Raises:
        UnknownNameError: the plugin has no such parameter.
        RequestError: a value is not of the parameter's type, or one without a default is not given.
    """
    known = {parameter.name: parameter for parameter in described.parameters}
    values: dict[str, Any] = {}
    for key, text in name.parameters:
        if key in described.constants.keys() - described.reserved:
            constant = described.constants[key]
            kind = type(constant).__name__ if type(constant) in TYPES.values() else "float"
            raise RequestError(
                f"{key} of {name.stem} is a constant, {constant!r}; annotate it to make it a parameter: "
                f"{key}: {kind} = {constant!r}"
            )
        if key not in known:
            raise UnknownNameError(f"parameter of {name.stem}", key, known, f"Given: {name}.")
        values[key] = _typed(text, TYPES[known[key].type], f"{key} of {name.stem}", example=known[key].default)
    if values.get("every", 1) < 1:
        raise RequestError(f"every of {name.stem} is {values['every']}; expected a whole number of at least 1")
    needed = [key for key in known if known[key].default is MISSING and key not in values]
    if needed:
        raise RequestError(f"{name} lacks {', '.join(needed)}; expected {name.base}[{needed[0]}=…]")
    # In the order of the class, so that the same parameters have one text, however they were given.
    return {key: values[key] for key in known if key in values and values[key] != known[key].default}


def _typed(text: str, wanted: type, place: str, example: Any) -> Any:
    words = {"true": True, "false": False}
    try:
        if wanted is bool:
            return words[text.lower()]
        value = wanted(text)
        if wanted is float and not math.isfinite(value):
            raise ValueError(text)
    except (ValueError, KeyError):
        kind = {"int": "a whole number", "float": "a finite number", "bool": "true or false"}[wanted.__name__]
        shown = "" if example is MISSING else f", such as {example!r}"
        raise RequestError(f"{place} is {text!r}; expected {kind}{shown}") from None
    return value


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
