"""What a tensor is made of."""

from collections.abc import Iterator

from torch import Tensor


def leaves(tensor: Tensor) -> Iterator[Tensor]:
    """The tensors that autograd would reach from a tensor, each once: weights and inputs that require a gradient."""
    waiting, seen = [tensor.grad_fn], set[object]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor):
            yield leaf
        waiting += [source for source, _ in node.next_functions]
