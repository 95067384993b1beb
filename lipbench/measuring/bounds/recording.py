"""Records a critic's pass for a proof: what each call does to distances, wherever its inputs lie.

The tape of the three sweeps answers for one linear piece. A proof must hold on all of them, so here a function with
kinks is known by its slope, and what decides by values (comparisons, places, numbers read) stops the proof.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from lipbench.measuring.bounds.known import Known, Sloped
from lipbench.measuring.bounds.slopes import BETWEEN, SLOPES, of_pick
from lipbench.train.gradients.call import Call, Replay, UnsupportedOperation, tensors
from lipbench.train.gradients.learned import Constant, Weighted
from lipbench.train.gradients.linear import BY_SAMPLE, JOINS, LINEAR, PRODUCTS, is_by_sample
from lipbench.train.gradients.operations import Linear, Operation
from lipbench.train.gradients.recognise import FROZEN, PICKS, POOLS
from lipbench.train.gradients.tape import UNKNOWN, UNSEEN, Tape

# Of FROZEN, what goes by shapes alone, or keeps the values.
SHAPED = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"}
EXTREMES = {"max", "min", "amax", "amin"}
CIRCULAR = "circular padding"
TYPED = {  # asked of a tensor, whatever its values
    "dim", "ndim", "device", "dtype", "layout", "is_floating_point", "is_complex", "is_cuda", "is_cpu", "is_meta",
    "is_sparse", "is_quantized", "is_nested", "is_conj", "is_neg", "names", "element_size", "itemsize", "get_device",
}  # fmt: skip
SIZED = {"shape", "size", "numel", "nelement", "len", "stride", "is_contiguous", "nbytes"}
PARTED = {"unbind", "split", "split_with_sizes", "chunk", "tensor_split"}  # into as many as the size says
# Of each input, no number of the matrix has another sign than the rest.
ONE_SIGN = (LINEAR - {"diff"}) | BY_SAMPLE | JOINS | {"add", "sub", "where", "getitem", "expand", "broadcast_to"}


class Recording(Tape):
    """A recorded pass; arguments as of `Tape`.

    Attributes:
        known: of each operation, by its id.
        notes: what a reader of the proof must know.
        layer: the path of the innermost module in which the pass is.
    """

    def __init__(self, points: Tensor) -> None:
        super().__init__(points)
        self.known: dict[int, Known] = {}
        self.notes: dict[str, None] = {}
        self.layer = ""
        self._is_seen = False  # whether what runs is part of a call that the tape has been told of

    def record(self, critic: nn.Module) -> Tensor:
        """See `Tape.record`; the first thing that stops the proof stands alone in the message."""
        try:
            with self._layers_followed(critic), _Unseen(self):
                return super().record(critic)
        except UnsupportedOperation as obstacle:
            places = "the place of a number among others, by which the critic may jump"
            raise UnsupportedOperation(next(iter(self._obstacles), str(obstacle) or places)) from None

    @property
    def end(self) -> int:
        """The slot of the critic's values."""
        return self._end

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        before = self._is_seen
        self._is_seen = before or self.has_recorded([*args, *(kwargs or {}).values()])
        try:
            return super().__torch_function__(func, types, args, kwargs)
        finally:
            self._is_seen = before

    def has_recorded(self, things: Sequence[Any]) -> bool:
        """Whether a recorded tensor is among things."""
        return any(self._slot(thing) is not None for thing in tensors(things))

    def missed(self, things: Sequence[Any]) -> None:
        """An operation on these runs: where they are recorded and no call of a function was seen, nothing is proven."""
        if not self._is_seen and self.has_recorded(things):
            self._obstacles[UNSEEN] = None
            self._spoilt = True

    def _record(self, call: Call) -> Any:
        try:
            return self._recorded(call)
        except UnsupportedOperation as obstacle:
            where = f" (layer {self.layer})" if self.layer else ""
            raise UnsupportedOperation(str(obstacle).removesuffix(where) + where) from None

    def _recorded(self, call: Call) -> Any:
        before = len(self.operations)
        if call.name == "batch_norm":
            self.notes["batch_norm is affine in evaluation mode, and is bounded as such"] = None
        if call.name == "detach":
            call.become(Tensor.view, [call.args[0], call.args[0].shape], {})  # it shares memory
            call.name = "view"
        if call.name in SLOPES:
            return self._sloped(call, SLOPES[call.name](call), call.name in BETWEEN)
        if call.name in PICKS or call.name in POOLS or (call.name in ("max", "min") and len(call.given) == 1):
            return self._sloped(call, of_pick(call, POOLS.get(call.name, 0)), between=False)
        is_shaped = call.name in SHAPED and call.times == 1 and id(call.args[0]) in call.recorded
        if (call.name in FROZEN and not is_shaped) or call.name == "hardshrink":
            raise UnsupportedOperation(f"{call.name}, by which the critic may jump")
        out = super()._record(call)
        if not tensors([out]) and call.name not in TYPED | SIZED:
            raise UnsupportedOperation(f"{call.name}, by which the critic may jump")
        for operation in self.operations[before:]:
            if id(operation) not in self.known:
                self._describe(operation, call, tensors([out])[0].shape)
        return out

    def _pass(self, call: Call, func: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
        out = super()._pass(call, func, args, options)
        # How many numbers pass a test goes by values.
        self._spoilt |= call.name in PARTED or not (tensors([out]) or call.name in TYPED)
        return out

    def _sloped(self, call: Call, slope: float, between: bool) -> Any:
        x = call.args[0]
        if "out" in call.options or call.times != 1 or len(x) % call.count:
            raise UnsupportedOperation(f"{call.written} as it is used here")
        with torch.no_grad():
            out = call.func(*call.args, **call.options)
        found = tensors([out])
        if not found or found[0].dim() == 0 or len(found[0]) != len(x):
            raise UnsupportedOperation(f"{call.name} across the batch")
        operation = Sloped([call.recorded[id(x)]], [call.new_slot()], slope, between)
        self._note_views(call.inputs, found)
        self.operations.append(operation)
        dim = call.arguments(("input", "dim"), (None,))[1] if call.name in EXTREMES else None
        along = (dim % x.dim(), x.shape[dim]) if isinstance(dim, int) else None
        self.known[id(operation)] = Known(call.name, self.layer, found[0].shape, along=along)
        self._slots = call.slot
        self._mark(found[0], operation.outputs[0])
        for place in found[1:]:
            self._mark(place, UNKNOWN)
        return out

    def _describe(self, operation: Operation, call: Call, shape: torch.Size) -> None:
        sizes = plain = None
        rows = len(call.inputs[0])
        if isinstance(operation, Constant) and _differs(operation.value, call.count):
            raise UnsupportedOperation(f"{call.name} with something else for each sample")
        if isinstance(operation, Linear | Weighted):
            picked = call.name == "getitem"
            if any(_differs(thing, rows) for thing in call.strangers if picked or is_by_sample(call, thing)):
                raise UnsupportedOperation(f"{call.name} with something else for each sample")
            plain = _with(call, lambda thing: thing)
            if call.name in PRODUCTS and len(plain([call.inputs[0][:1]])[0]) != 1:
                raise UnsupportedOperation(f"{call.name} across the batch")
            if call.name in PRODUCTS:
                sizes = _with(call, abs)
            elif call.name in ONE_SIGN and "bicubic" not in [*call.args, *call.options.values()]:
                sizes, plain = plain, None
        circular = call.name == "pad" and "circular" in [*call.args, *call.options.values()]
        self.known[id(operation)] = Known(CIRCULAR if circular else call.name, self.layer, shape, sizes, plain)

    @contextmanager
    def _layers_followed(self, critic: nn.Module) -> Iterator[None]:
        around: list[str] = []
        handles = []

        def enter(path: str) -> Callable[..., None]:
            def hook(*_: Any) -> None:
                around.append(self.layer)
                self.layer = path

            return hook

        def leave(*_: Any) -> None:
            self.layer = around.pop()

        for path, module in critic.named_modules():
            handles += [module.register_forward_pre_hook(enter(path)), module.register_forward_hook(leave)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


class _Unseen(TorchDispatchMode):
    """Tells a recording of every operation, in scripted functions and under transforms, too.

    Args:
        recording: the recording.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch does not annotate it
        self.recording = recording

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        self.recording.missed([*args, *options.values()])
        return func(*args, **options)


def _with(call: Call, change: Callable[[Any], Any]) -> Replay:
    """The call with something else in place of what does not depend on the points."""

    def changed(thing: Any) -> Any:
        if isinstance(thing, Tensor) and id(thing) not in call.recorded:
            shared = thing[:1] if is_by_sample(call, thing) else thing  # the same for all samples: `_describe` has seen
            return change(shared.detach()) if thing.is_floating_point() else shared
        return change(thing) if isinstance(thing, int | float) and call.name in ("mul", "div") else thing

    args, options = tree_map(changed, (call.args, call.options))
    func = torch.matmul if call.name == "bmm" else call.func  # which takes one matrix for all samples
    other = Call(func, args, options, call.recorded, call.count, call.dtype, call.slot, call.given)
    return Replay(other, call.inputs)


def _differs(thing: Tensor, count: int) -> bool:
    """Whether it is something else for each sample, as a label is."""
    return thing.dim() > 0 and len(thing) == count and bool((thing != thing[:1]).any())
