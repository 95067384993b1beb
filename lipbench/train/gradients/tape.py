"""Records a critic's pass as a list of operations, whatever modules or functions its ``forward`` is made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lipbench.train.gradients.call import Call, UnsupportedOperation, tensors
from lipbench.train.gradients.learned import Learned, ParameterGradient
from lipbench.train.gradients.operations import Operation
from lipbench.train.gradients.recognise import FROZEN, RECOGNISERS, recognise
from lipbench.train.gradients.rewrites import REWRITES, applies
from lipbench.train.gradients.terms import per_sample, values

CHANGED = -1  # the slot of what shares memory with a tensor that was changed in place: what it holds is gone
UNKNOWN = -2  # the slot of what comes after an operation that is not known
UNSEEN = "a part that torch functions do not see (vmap, a compiled or scripted function …)"


class Tape(TorchFunctionMode):
    """A recorded pass.

    Args:
        points: where the critic is evaluated, (n, c, h, w).
        dtype: what weights and activations are computed in; None leaves them as they are.
    """

    def __init__(self, points: Tensor, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.dtype = dtype
        self.operations: list[Operation] = []
        self._token = object()  # in place of the tape itself: a circle would keep every activation alive
        self._points = points.detach()
        self._count = len(points)
        self._slots = 1
        self._constants: list[tuple[Tensor, int]] = []
        self._obstacles: dict[str, None] = {}  # in order, each once
        self._left: dict[int, torch.UntypedStorage] = {}  # memory of constants to which what is recorded was added
        self._spoilt = False  # whether an unknown call has changed what was recorded
        self._mark(self._points, 0)

    def record(self, critic: nn.Module) -> Tensor:
        """Run the critic: the first sweep.

        Returns:
            Its values, (n,).

        Raises:
            UnsupportedOperation: it does something unknown with what depends on the points; all of it is named.
            ValueError: it does not give one number a sample.
        """
        try:
            # Weights may have a history of their own, as under spectral norm. `dtype` alone decides the precision.
            with torch.enable_grad(), torch.autocast(self._points.device.type, enabled=False), self:
                out = values(critic, self._points)
            end = self._slot(out)
        except Exception:
            if not self._obstacles:
                raise
            end = UNKNOWN
        if end == UNKNOWN or self._spoilt:  # what is not known may also lead nowhere
            raise UnsupportedOperation(", ".join(self._obstacles))
        if end is None:
            raise UnsupportedOperation("a value that does not depend on the points")
        if any(constant._version != version for constant, version in self._constants):
            raise UnsupportedOperation("a constant or weight that is changed in place after its use")
        self._end = end
        return out

    def input_gradient(self) -> Tensor:
        """∂f/∂points, keeping the signal at every layer: the second sweep."""
        signals = {self._end: self._points.new_ones(len(self._points))}
        for operation in reversed(self.operations):
            known = [signals.pop(slot, None) for slot in operation.outputs]
            if all(signal is None for signal in known):
                continue  # an output that leads nowhere
            for slot, signal in zip(operation.inputs, operation.back(known), strict=True):
                signals[slot] = signals[slot] + signal if slot in signals else signal
        return signals[0].to(self._points.dtype) if 0 in signals else torch.zeros_like(self._points)

    def parameter_gradients(self, mixed: Tensor, rows: slice, value_gradient: Tensor) -> list[ParameterGradient]:
        """Every weight's gradient: the third sweep.

        Args:
            mixed: a·x + b·v for the samples in `rows`, the only ones whose gradient norm matters.
            rows: a part of the batch.
            value_gradient: a, (n,).
        """
        count = len(self._points)
        others = [part for part in (slice(0, rows.start), slice(rows.stop, count)) if part.stop > part.start]
        found: list[ParameterGradient] = []
        present = {0: mixed}
        last_use = {slot: row for row, operation in enumerate(self.operations) for slot in operation.inputs}
        last = max((row for row, operation in enumerate(self.operations) if _learns(operation)), default=-1)
        for row, operation in enumerate(self.operations[: last + 1]):
            given, here = [present[slot] for slot in operation.inputs], _folded(rows, operation.fold)
            scale = value_gradient if operation.fold == 1 else value_gradient.repeat_interleave(operation.fold)
            if isinstance(operation, Learned) and operation.learns and operation.signal is not None:
                parts = [(x, here) for x in given]
                if operation.given is not None:
                    # Elsewhere b is 0, and what the last sweep would compute is a times the first sweep's activation.
                    factors = per_sample(scale.to(operation.given.dtype), operation.given)
                    elsewhere = [_folded(part, operation.fold) for part in others]
                    parts += [(operation.given[part] * factors[part], part) for part in elsewhere]
                found += operation.gradients(parts, scale)
            if row < last:
                outputs = operation.again(given, here, scale[here])
                present |= dict(zip(operation.outputs, outputs, strict=True))
            for slot in operation.inputs:
                if last_use[slot] == row:
                    present.pop(slot, None)
        return found

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Record what is done to recorded tensors, and let everything else pass."""
        options = kwargs or {}
        given = tensors([*args, *options.values()] if options else args)
        slots = [(id(thing), self._slot(thing)) for thing in given]
        recorded = {key: slot for key, slot in slots if slot is not None}
        is_stale = bool(self._left) and any(
            _memory(thing) in self._left for thing in given if id(thing) not in recorded
        )
        if not recorded and not is_stale:
            return func(*args, **options)
        call = Call(func, list(args), dict(options), recorded, self._count, self.dtype, self._slots, given)
        try:
            if is_stale or CHANGED in recorded.values():
                raise UnsupportedOperation("a tensor that shares memory with one that was changed in place")
            if UNKNOWN in recorded.values():
                return self._pass(call, func, args, options)
            if not torch.is_grad_enabled():
                raise UnsupportedOperation("a part under torch.no_grad() or in a torch.autograd.Function")
            out = self._record(call)
        except UnsupportedOperation as obstacle:
            self._obstacles[str(obstacle)] = None
            out = self._unknown(func, args, options)
            # What is changed in place, and code that goes by what it has seen, is not only about the output.
            self._spoilt |= call.in_place or "out" in options or not tensors([out])
            return out
        return self._overwrite(args[0], out) if call.in_place else out

    def _record(self, call: Call) -> Any:
        rewrite = REWRITES.get(call.name)
        if rewrite is not None and applies(call):
            with self:
                return rewrite(*call.args, **call.options)
        inputs, strangers = call.inputs, call.strangers
        if any(thing.grad_fn is not None and self._is_hidden(thing) for thing in strangers):
            raise UnsupportedOperation(UNSEEN)
        with torch.no_grad():
            out, operations = recognise(call)
        found = tensors([out])
        self._note_views(inputs, found)
        if operations:
            for operation in operations:
                operation.fold = inputs[0].shape[0] // call.count
            self.operations += operations
            self._constants += [(thing, thing._version) for thing in strangers]
            self._slots = call.slot
            for tensor, slot in zip(found, operations[-1].outputs, strict=False):  # a maximum comes with its place
                self._mark(tensor, slot)
        return out

    def _pass(self, call: Call, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """After an obstacle: only what is not known at all is one more."""
        known = call.name in RECOGNISERS or call.name in REWRITES or call.name in FROZEN
        out = self._unknown(func, args, options)
        if tensors([out]) and not known:
            raise UnsupportedOperation(call.name or "a function that is not torch's")
        return out

    def _unknown(self, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
        with torch.no_grad():
            out = func(*args, **options)
        for tensor in tensors([out]):
            self._mark(tensor, UNKNOWN)
        return out

    def _overwrite(self, target: Tensor, new: Tensor) -> Tensor:
        """Let a tensor be what a call in place has made of it; what was recorded of it keeps its own memory."""
        if new is target:
            return target
        if self._slot(target) is None:
            self._left[_memory(target)] = target.untyped_storage()
        for member in getattr(target, "_family", ()):
            other = member()
            if other is not None and other is not target:
                self._mark(other, CHANGED)
        if new.shape != target.shape or new.dtype != target.dtype:
            raise UnsupportedOperation("a change in place of a tensor's shape or type")
        self._mark(target, self._slot(new))
        target.data = new.detach()
        target._family = []  # type: ignore[attr-defined]  # lives as long as the tensor, no longer
        return target

    def _note_views(self, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Remember what shares memory: a change in place of one would be a change of the other."""
        known = {thing.untyped_storage()._cdata: thing for thing in inputs}
        for out in outputs:
            other: Any = known.get(out.untyped_storage()._cdata)
            if other is not None and other is not out:
                family = other._family = getattr(other, "_family", None) or [ref(other)]
                family.append(ref(out))
                out._family = family  # type: ignore[attr-defined]  # lives as long as the tensor, no longer

    def _is_hidden(self, stranger: Tensor) -> bool:
        """Whether what seems to be a constant or a weight has been made of something recorded."""
        return any(self._slot(leaf) is not None for leaf in leaves(stranger))

    def _mark(self, tensor: Tensor, slot: int | None) -> None:
        tensor._recorded = (self._token, slot)  # type: ignore[attr-defined]  # lives as long as the tensor, no longer
        if tensor.is_leaf and tensor.is_floating_point():
            tensor.requires_grad_()  # so that whatever is made of it unseen has a history

    def _slot(self, thing: Tensor) -> int | None:
        token, slot = getattr(thing, "_recorded", (None, None))
        return slot if token is self._token else None


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata if tensor.layout == torch.strided else 0


def _learns(operation: Operation) -> bool:
    return isinstance(operation, Learned) and operation.learns


def _folded(rows: slice, fold: int) -> slice:
    return slice(rows.start * fold, rows.stop * fold)


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
