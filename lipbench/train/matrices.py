"""Which matrices and kernels a critic multiplies with: read from the graph of one pass, whatever its layers are."""

from collections.abc import Iterator
from contextlib import suppress

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.func import functional_call
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils._pytree import tree_leaves

from lipbench.train.copies import copied
from lipbench.train.operators import OperatorNorm
from lipbench.train.streams import generator, seeded

COUNT = 4  # points of the pass
EVERY = range(8)  # inputs of a function
# The inputs with which a function multiplies nothing: they are added, compared, written in, or scale the channels.
ADDED = {
    **dict.fromkeys(("Add", "Sub", "Rsub", "Cat", "Stack", "Lerp", "Cdist", "EuclideanDist", "Logaddexp"), EVERY),
    **dict.fromkeys(("Clamp", "ClampMin", "ClampMax", "MseLoss", "L1Loss", "SmoothL1Loss", "HuberLoss"), EVERY),
    **dict.fromkeys(("Where", "Maximum", "Minimum", "Fmax", "Fmin"), EVERY),
    **dict.fromkeys(("Copy", "CopySlices", "IndexPut", "IndexAdd", "IndexCopy", "Scatter", "ScatterAdd"), EVERY),
    **dict.fromkeys(("SliceScatter", "SelectScatter", "MaskedScatter"), EVERY),
    **dict.fromkeys(("NativeBatchNorm", "CudnnBatchNorm", "MiopenBatchNorm"), EVERY),
    **dict.fromkeys(("NativeLayerNorm", "NativeGroupNorm", "FusedRmsNorm"), EVERY),
    **dict.fromkeys(("Addmm", "Addmv", "Addr", "Addbmm", "Baddbmm", "Addcmul", "Addcdiv"), (0,)),
    **dict.fromkeys(("Convolution", "Linear"), (2,)),
    "ScaledDotProductEfficientAttention": (3,),
}
BY_ELEMENT = {"Mul", "Div", "Addcmul", "Addcdiv", "PreluKernel"}  # of a vector, whatever its shape, they make a scale
# With these a vector multiplies as a matrix does, also one that is given the shape of a matrix on the way.
CONTRACTIONS = {"Mv", "Addmv", "Dot", "Vdot", "Mm", "Bmm", "Addmm", "Baddbmm", "Convolution", "Linear"}


def matrices(critic: nn.Module) -> list[tuple[nn.Module, str]]:
    """Every matrix or kernel that the critic multiplies something with that depends on its points.

    So also the weights of layers of one's own, an attention's ``in_proj_weight``, or an embedding whose rows are
    multiplied with features. What is only added or joined on (biases, positions) is none, nor is a scale of channels
    (a gain, the weight of a normalisation). A matrix that is trained and that a pass in evaluation mode does not reach
    is one.

    Args:
        critic: as `lipbench.Method.constrain` gets it, with its `input_shape`, (c, h, w), without which no pass is
            made; it is left as it is.

    Returns:
        Modules and the names of their parameters, in the order of ``critic.modules()``: what `spectral_norm` takes. A
        parameter that several modules share is there for each of them; one that is parametrised, by its own name.
    """
    copy = copied(critic).eval().to(memory_format=torch.contiguous_format)  # some critics can be run in no other
    trained = {
        id(weight)
        for layer in copy.modules()
        for weight in layer.parameters(recurse=False)
        if weight.requires_grad and weight.dim() > 1 and (_is_wide(weight) or isinstance(layer, nn.Linear | _ConvNd))
    }
    multiplied, reached = set[int](), set[int]()
    with suppress(Exception):  # what a critic raises is for the checks to say; until then every matrix counts
        multiplied, reached = _used(copy, getattr(critic, "input_shape", None))
    return [
        (layer, name)
        for layer, twin in zip(critic.modules(), copy.modules(), strict=True)
        for name, weights in _parameters(twin)
        if any(id(one) in multiplied | (trained - reached) for one in weights)
    ]


def is_normalised(layer: nn.Module, name: str) -> bool:
    """Whether the last thing that shapes a parameter is spectral normalisation."""
    chain = getattr(layer, "parametrizations", {})
    return name in chain and isinstance(chain[name][-1], _SpectralNorm | OperatorNorm)


def _parameters(module: nn.Module) -> Iterator[tuple[str, list[Tensor]]]:
    """A module's own parameters, each with what it is made of: itself, or the originals of a parametrisation."""
    if isinstance(module, ParametrizationList):
        return  # it belongs to the module that it shapes
    for name, weight in module.named_parameters(recurse=False, remove_duplicate=False):
        yield name, [weight]
    for name, chain in getattr(module, "parametrizations", {}).items():
        yield name, list(chain.parameters())


def _used(critic: nn.Module, shape: tuple[int, ...] | None) -> tuple[set[int], set[int]]:
    """The ids of the leaves that something made of the points is multiplied with, and of all leaves of the graph."""
    if shape is None:
        return set(), set()
    points = torch.randn(COUNT, *shape, generator=generator(0, "matrices"))
    points = points.to(next(critic.parameters())).requires_grad_()
    with torch.enable_grad(), seeded(0, "matrices"):
        # Clones, as a layer may change what it calls a frozen parameter in place, which no leaf with a gradient allows.
        weights = {name: weight.requires_grad_().clone() for name, weight in critic.named_parameters()}
        found = functional_call(critic, weights, (points,))
    out = [thing for thing in tree_leaves(found) if isinstance(thing, Tensor)]
    made_of: dict[Node, list[Tensor]] = {}  # the leaves of what does not depend on the points
    multiplied: set[int] = set()
    reached: set[int] = set()
    for node in _in_order([thing.grad_fn for thing in out]):
        leaf = getattr(node, "variable", None)
        inputs = [source for source, _ in node.next_functions]
        if leaf is points:
            continue
        if leaf is not None:
            reached.add(id(leaf))
        if all(source is None or source in made_of for source in inputs):
            given = {id(one): one for source in inputs if source is not None for one in made_of[source]}
            made_of[node] = [*given.values(), *([] if leaf is None else [leaf])]
            continue
        kind = node.name().rpartition("::")[2].split("Backward")[0]
        for place, source in enumerate(inputs):
            if source in made_of and place not in ADDED.get(kind, ()):
                multiplied |= {id(one) for one in _matrices_among(made_of[source], kind)}
    return multiplied, reached


def _matrices_among(leaves: list[Tensor], kind: str) -> list[Tensor]:
    """The leaves that make a matrix of what they are the history of, where it enters a function of this kind."""
    if kind in BY_ELEMENT:
        return [one for one in leaves if _is_wide(one)]
    wide = [one for one in leaves if one.dim() > 1]
    return wide or [one for one in leaves if one.dim() == 1 and kind in CONTRACTIONS]


def _is_wide(weight: Tensor) -> bool:
    """Whether it is more than a vector, whatever its shape."""
    return sum(size > 1 for size in weight.shape) > 1


def _in_order(roots: list[Node | None]) -> list[Node]:
    """All nodes of a graph, each after those that it takes its inputs from."""
    order: dict[Node, None] = {}
    entered: set[Node] = set()
    stack = [node for node in roots if node is not None]
    while stack:
        node = stack[-1]
        if node in entered:
            order[stack.pop()] = None
        else:
            entered.add(node)
            stack += [source for source, _ in node.next_functions if source is not None and source not in entered]
    return list(order)
