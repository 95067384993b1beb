"""Records a critic's pass as a list of operations, whatever modules or functions its ``forward`` is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lipbench.train.gradients.call import Call, UnsupportedOperation, tensors
from lipbench.train.gradients.operations import Affine, Operation, ParameterGradient
from lipbench.train.gradients.recognise import recognise
from lipbench.train.gradients.terms import values

CHANGED = -1  # the slot of a tensor that was changed in place: what it was is gone


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
        self._slots = 0
        self._mark(self._points)

    def record(self, critic: nn.Module) -> Tensor:
        """Run the critic: the first sweep.

        Returns:
            Its values, (n,).

        Raises:
            UnsupportedOperation: it does something unknown with what depends on the points.
            ValueError: it does not give one number a sample.
        """
        # Weights may have a history of their own, as under spectral norm. The precision is `dtype`'s business alone.
        with torch.enable_grad(), torch.autocast(self._points.device.type, enabled=False), self:
            out = values(critic, self._points)
        end = self._slot(out)
        if end is None:
            raise UnsupportedOperation("a value that does not depend on the points")
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
        last = max((row for row, operation in enumerate(self.operations) if isinstance(operation, Affine)), default=-1)
        for row, operation in enumerate(self.operations[: last + 1]):
            given = [present[slot] for slot in operation.inputs]
            if isinstance(operation, Affine) and operation.signal is not None:
                # Elsewhere b is 0, and what the last sweep would compute is a times the first sweep's activation.
                factors = value_gradient.to(operation.given.dtype).view(-1, *[1] * (operation.given.dim() - 1))
                known = [(operation.given[part] * factors[part], part) for part in others]
                found += operation.gradients([(given[0], rows), *known], value_gradient)
            if row < last:
                outputs = operation.again(given, rows, value_gradient[rows])
                present |= dict(zip(operation.outputs, outputs, strict=True))
            for slot in operation.inputs:
                if last_use[slot] == row:
                    present.pop(slot, None)
        return found

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Record what is done to recorded tensors, and let everything else pass."""
        options = dict(kwargs or {})
        slots = {id(thing): self._slot(thing) for thing in tensors([*args, *options.values()])}
        recorded = {key: slot for key, slot in slots.items() if slot is not None}
        if not recorded:
            return func(*args, **options)
        if not torch.is_grad_enabled():
            raise UnsupportedOperation("a part under torch.no_grad()")
        call = Call(func, list(args), options, recorded, len(self._points), self.dtype, self._slots)
        if call.in_place and any(getattr(thing, "_aliased", False) for thing in call.inputs[:1]):
            raise UnsupportedOperation("a change in place of a tensor that has views")
        with torch.no_grad():
            out, operation, changed = recognise(call)
        self._note_views(call.inputs, tensors([out]))
        if operation is not None:
            self.operations.append(operation)
            for tensor in tensors([out])[: len(operation.outputs)]:
                self._mark(tensor)
        if changed is not None:
            changed._recorded = (self._token, CHANGED)
        return out

    def _note_views(self, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Remember what shares memory: a change in place of one would be a change of the other."""
        known = {thing.untyped_storage()._cdata: thing for thing in inputs}
        for out in outputs:
            other = known.get(out.untyped_storage()._cdata)
            if other is not None and other is not out:
                out._aliased = other._aliased = True  # type: ignore[attr-defined]  # lives as long as the tensors

    def _mark(self, tensor: Tensor) -> None:
        tensor._recorded = (self._token, self._slots)  # type: ignore[attr-defined]  # lives as long as the tensor, no longer
        self._slots += 1

    def _slot(self, thing: Tensor) -> int | None:
        token, slot = getattr(thing, "_recorded", (None, 0))
        if token is not self._token:
            return None
        if slot == CHANGED:
            raise UnsupportedOperation("a tensor that is used again after it was changed in place")
        return int(slot)
