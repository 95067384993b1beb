"""The file with which a method of one's own begins."""

import sys
from keyword import iskeyword
from pathlib import Path

from lipbench.disk.places import expanded
from lipbench.errors import PluginError, StoreError
from lipbench.plugins import registry
from lipbench.plugins.kinds import METHOD

USED = {*sys.stdlib_module_names, "torch", "lipbench"}  # beside the file, it would import itself
TEXT = '''\
"""A sentence that says how the critic is kept Lipschitz.

Formula: f + weight · E ‖∇f(x̂)‖², x̂ = εx + (1 − ε)G(z), ε ~ U(0, 1) for each sample
Paper: where it is published
"""

import torch

from lipbench import Method


class {name}(Method):
    """What it promises, and where.

    This one says where to penalise, and how. The other hooks: `constrain(critic)` returns it Lipschitz by construction,
    once; `project(critic)` changes its weights in place after every update; `score(value, grad_norm)` replaces what
    the losses see; `regulariser(critic, real, fake, rng)` adds anything else to the critic's loss.
    """

    guarantee = "soft"  # a claim, which is measured: "none", "soft", "almost everywhere", "layerwise" or "certified"
    weight: float = 10.0  # an annotated field is a parameter: './{stem}.py[weight=1]'

    def penalty_points(self, real, fake, rng):
        # From rng alone: other random numbers would not be paired with those of other methods.
        mix = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device)
        return mix * real + (1 - mix) * fake

    def penalty(self, value, grad_norm):
        return self.weight * grad_norm.square().mean()
'''


def write(path: Path) -> Path:
    """Write a method that runs as it stands, to be changed.

    Args:
        path: of the file; its name is that of the method.

    Returns:
        The path that was written.

    Raises:
        PluginError: no method can have this name, or one has it.
        StoreError: there is such a file, or no such folder, or it cannot be written to.
    """
    file = expanded(path)
    stem = file.stem
    if file.suffix != ".py":
        raise PluginError(f"{str(path)!r} is no Python file; expected a name that ends in .py, such as my_method.py")
    if not stem.isidentifier() or iskeyword(stem) or stem.startswith("_") or not stem[0].isalpha():
        raise PluginError(
            f"{stem!r} is no name of a method; expected letters, digits and underscores, a letter first, such as "
            f"my_method.py"
        )
    if stem in USED:
        raise PluginError(f"{stem!r} is the name of a module that methods import; expected another: my_{stem}.py")
    if METHOD.canonical(stem) in registry.installed(METHOD):
        raise PluginError(
            f"{stem!r} is the name of an installed method, and reports could not tell the two apart; expected another: "
            f"my_{stem}.py"
        )
    if not file.parent.is_dir():
        raise StoreError(f"there is no folder {str(file.parent)!r}; make it first: mkdir -p {file.parent}")
    name = "".join(word[:1].upper() + word[1:] for word in stem.split("_"))
    try:
        with file.open("x", encoding="utf-8") as opened:  # never in place of what is there
            opened.write(TEXT.format(name=name, stem=stem))
    except FileExistsError:
        raise StoreError(f"{str(path)!r} is there already, and stays as it is; expected a new name") from None
    except OSError as error:
        raise StoreError(f"{str(path)!r} cannot be written: {error.strerror}; expected another place") from None
    return file
