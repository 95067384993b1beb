"""Whether the class that a plugin file makes is the one that its text describes."""

from inspect import isfunction
from types import ModuleType
from typing import Any

from lipbench.errors import PluginError
from lipbench.interfaces import plugin
from lipbench.plugins.card import Card
from lipbench.plugins.interface import Unread, wrong_default
from lipbench.plugins.kinds import BY_BASE


def checked(module: ModuleType, card: Card, base: type[plugin.Plugin]) -> type[Any]:
    """The class of a plugin, imported.

    Args:
        module: what the file became.
        card: what its text says.
        base: the interface.

    Raises:
        PluginError: the two differ, as a decorator or a condition may make them.
    """
    file, word = repr(str(card.path)), BY_BASE[base.__name__].word
    leaves = _leaves(module, base)
    defined = getattr(module, card.class_name, None)
    if leaves != {card.class_name} or not (isinstance(defined, type) and issubclass(defined, base)):
        raise PluginError(
            f"{file} says that {card.class_name} is its {word}, and when imported it defines "
            f"{', '.join(sorted(leaves)) or 'none'}; expected one class statement for one {word}"
        )
    says = _said(card, base)
    for what, value in _had(defined, card, base).items():
        if not isinstance(says.get(what), Unread) and says[what] != value:
            raise PluginError(
                f"the text of {card.class_name} in {file} says of {what}: {_shown(says[what])}; when imported it has "
                f"{_shown(value)}. Expected the same: write it in the class, neither by a decorator nor under a "
                f"condition"
            )
    for name, (kind, default) in plugin.parameters(defined).items():
        if wrong := wrong_default(name, kind, default):
            raise PluginError(f"{card.class_name} in {file}: {wrong}")
    return defined


def _said(card: Card, base: type[plugin.Plugin]) -> dict[str, Any]:
    variables = {name: card.constants.get(name, getattr(base, name)) for name in _variables(base)}
    return {
        "hooks": sorted(card.hooks),
        "parameters": sorted(f"{each.name}: {each.type}" for each in card.parameters),
        **{f"the default of {each.name}": each.default for each in card.parameters},
        **variables,
    }


def _had(defined: type[plugin.Plugin], card: Card, base: type[plugin.Plugin]) -> dict[str, Any]:
    """What the class has of all that `_said` names."""
    names = {each.name for each in card.parameters} | (plugin.parameters(defined).keys() - plugin.parameters(base))
    found = {name: given for name, given in plugin.parameters(defined).items() if name in names}
    return {
        "hooks": sorted(hook for hook in _hooks(base) if getattr(defined, hook) is not getattr(base, hook)),
        "parameters": sorted(f"{name}: {kind}" for name, (kind, _) in found.items()),
        **{f"the default of {name}": default for name, (_, default) in found.items()},
        **{name: getattr(defined, name) for name in _variables(base)},
    }


def _hooks(base: type) -> list[str]:
    return [name for name, value in vars(base).items() if isfunction(value) and not name.startswith("_")]


def _variables(base: type) -> list[str]:
    return [
        name for name in vars(base).get("__annotations__", {}) if name not in plugin.parameters(base) and name[0] != "_"
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "no value" if value is plugin.MISSING else repr(value)


def _leaves(module: ModuleType, base: type) -> set[str]:
    made = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, base) and each.__module__ == module.__name__
    ]
    above = {ancestor for each in made for ancestor in each.__mro__[1:]}
    return {each.__name__ for each in made if each not in above and not each.__name__.startswith("_")}
