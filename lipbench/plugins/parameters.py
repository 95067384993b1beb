"""The parameters that a name gives, typed as the plugin's own text says."""

import math
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
