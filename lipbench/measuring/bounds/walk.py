"""From operation to operation: how far apart two activations can be, for points at a distance of 1."""

from dataclasses import dataclass, field, replace
from math import hypot, inf, sqrt

import torch
from torch import Tensor

from lipbench.measuring.bounds import norms
from lipbench.measuring.bounds.convolutions import examine
from lipbench.measuring.bounds.known import Known, Sloped, sorted_along
from lipbench.measuring.bounds.norms import Norm
from lipbench.measuring.bounds.recording import CIRCULAR, Recording
from lipbench.measuring.bounds.sums import Sums, both_ways, by_itself, stacked
from lipbench.train.gradients.call import Replay, UnsupportedOperation
from lipbench.train.gradients.learned import Affine, Constant, Weighted
from lipbench.train.gradients.operations import Choice, Linear, Operation, Reshape

WIDE = 4096  # units of a layer through which a chain goes on


@dataclass(frozen=True)
class LayerBound:
    """What is known of an operation with weights.

    Attributes:
        name: the path of its layer in the critic, or the operation's name.
        operation: what it does, such as ``convolution 64 → 128, 4×4, stride 2, at 32×32``.
        estimate: of its norm, by power iteration: a lower one.
        bound: of its norm, proven.
        method: how.
    """

    name: str
    operation: str
    estimate: float
    bound: float
    method: str


@dataclass(frozen=True)
class _Chain:
    """Linear layers and monotone functions of each number, so far (ECLipsE-Fast: Xu & Sivaranjani 2024).

    For a difference Δ of a layer's activations, Δᵀ·X·Δ is at most the square of the distance with which the chain
    began: X = I there, and after W and functions of slopes from 0 to 1, since (WΔ − Δ′)ᵀΔ′ ≥ 0,
    X′ = c·I − c²/4·W X⁻¹ Wᵀ for any c.

    Attributes:
        start: the constant where it began.
        product: W X⁻¹ Wᵀ of its last layer.
        activated: whether functions of each number have come since.
    """

    start: float
    product: Tensor
    activated: bool = False

    def inverse_times(self, columns: Tensor) -> Tensor:
        """X′⁻¹ times these, with c = 2 / the largest eigenvalue: X′ then has a condition number of at most 2."""
        scale = 2 / norms.largest_eigenvalue(self.product)
        x = -(scale**2) / 4 * self.product
        x.diagonal().add_(scale)
        found: Tensor = torch.cholesky_solve(columns, torch.linalg.cholesky(x))
        return found


@dataclass
class Walk:
    """A walk over a recorded pass.

    Attributes:
        constants: of each slot: its activation is so many times as far apart as the points, at most.
        layers: the operations with weights, in order.
    """

    recording: Recording
    constants: dict[int, float] = field(default_factory=lambda: {0: 1.0})
    layers: list[LayerBound] = field(default_factory=list)
    _makers: dict[int, Operation] = field(default_factory=dict)
    _sums: dict[int, Sums] = field(default_factory=dict)
    _steepness: dict[int, float] = field(default_factory=dict)
    _chains: dict[int, _Chain] = field(default_factory=dict)

    def bound(self) -> float:
        """Walk from the points to the critic's values.

        Raises:
            UnsupportedOperation: a step is not known; it is named.
        """
        for operation in self.recording.operations:
            known = self.recording.known[id(operation)]
            for slot in operation.outputs:
                self._makers[slot] = operation
            match operation:
                case Constant():
                    found = [0.0]
                case Reshape():
                    found = [self._stretched(operation, 1.0)]
                case Sloped():
                    found = [self._of_slope(operation)]
                case Choice():
                    found = [self.joint(operation.inputs)]
                case Affine():
                    found = [self._of_affine(operation, known)]
                case Linear() | Weighted():
                    found = self._of_linear(operation, known)
                case _:
                    raise UnsupportedOperation(known.name)
            self.constants |= dict(zip(operation.outputs, found, strict=True))
        return self.constants[self.recording.end]

    def joint(self, slots: list[int]) -> float:
        """Of several activations taken as one: the root of the sum of squares, or better where more is known."""
        apart = hypot(*(self.constants[slot] for slot in slots))
        makers = [self._makers.get(slot) for slot in slots]
        if len(set(slots)) < len(slots) or any(maker is None or not maker.inputs for maker in makers):
            return apart
        sources = [maker.inputs for maker in makers if maker is not None]
        if all(isinstance(maker, Choice) for maker in makers):
            names = sorted(self.recording.known[id(maker)].name[:3] for maker in makers)
            both = names == ["max", "min"] and sorted(sources[0]) == sorted(sources[1])
            return min(apart, self.joint(sources[0])) if both else apart  # sorted pairs: nothing is stretched
        if any(len(source) > 1 for source in sources):
            return apart
        firsts = [source for (source,) in sources]
        if len(set(firsts)) == 1 and sorted_along([self.recording.known[id(maker)] for maker in makers]):
            return min(apart, self.constants[firsts[0]])
        if len(set(firsts)) == 1 and all(id(maker) in self._sums for maker in makers):
            found = [(maker, slot) for maker, slot in zip(makers, slots, strict=True) if maker is not None]
            parts = [(self._sums[id(maker)], maker.outputs.index(slot)) for maker, slot in found]
            return min(apart, stacked(parts) * self.constants[firsts[0]])
        if all(slot in self._steepness for slot in slots):  # side by side, they stretch as much as the steepest
            return min(apart, max(self._steepness[slot] for slot in slots) * self.joint(firsts))
        return apart

    def _of_slope(self, operation: Sloped) -> float:
        (slot,), (out,) = operation.inputs, operation.outputs
        chain = self._chains.get(slot)
        if chain is not None and operation.between and operation.slope <= 1:
            self._chains[out] = replace(chain, activated=True)
        return self._stretched(operation, operation.slope)

    def _stretched(self, operation: Operation, steepness: float) -> float:
        """The constant after an operation of one input and one output that stretches distances so much."""
        self._steepness[operation.outputs[0]] = steepness
        return steepness * self.constants[operation.inputs[0]]

    def _of_affine(self, operation: Affine, known: Known) -> float:
        weight = operation.weight.detach()
        if operation.settings is None:
            norm = Norm(norms.of_matrix(weight), "singular value")
            estimate = norms.by_power_iteration(lambda x: x @ weight.T, lambda y: y @ weight, weight.shape[1:])
            self._note(known, f"linear {weight.shape[1]} → {weight.shape[0]}", estimate, norm)
            return min(self._stretched(operation, norm.value), self._of_chain(operation, weight))
        (slot,) = operation.inputs
        maker = self._makers.get(slot)
        before = (maker, self.recording.known[id(maker)]) if isinstance(maker, Linear) else None
        found = examine(operation, known, before if before and before[1].name == CIRCULAR else None)
        self._note(known, found.operation, found.estimate, found.norm)
        if found.padded and maker is not None:
            return found.norm.value * self.constants[maker.inputs[0]]
        return self._stretched(operation, found.norm.value)

    def _of_chain(self, operation: Affine, weight: Tensor) -> float:
        """The constant after a linear layer by the chain that it goes on or begins."""
        (slot,), (out,) = operation.inputs, operation.outputs
        chain = self._chains.get(slot)
        if len(weight) > WIDE or not self.constants[slot] > 0:
            return inf
        if chain is None or not chain.activated:
            chain = _Chain(self.constants[slot], weight @ weight.T)
        else:
            chain = _Chain(chain.start, weight @ chain.inverse_times(weight.T))
        size = norms.largest_eigenvalue(chain.product)
        if size > 0:
            self._chains[out] = chain
        return norms.outward(chain.start * sqrt(size), 16, *weight.shape)

    def _of_linear(self, operation: Linear | Weighted, known: Known) -> list[float]:
        like = operation.given if isinstance(operation, Linear) else [operation.given]
        sums = None if known.sizes is None else Sums.of(known.sizes, like)
        if known.plain is not None:
            return [self._of_signs(operation, known, known.plain, like, sums)]
        assert sums is not None  # `Recording` describes each operation
        self._sums[id(operation)] = sums
        slots = operation.inputs
        if len(slots) == 1 and len(operation.outputs) == 1:
            return [self._stretched(operation, sums.of_branch(0, 0))]
        found = []
        for output in range(len(operation.outputs)):
            branches = sum(sums.of_branch(output, row) * self.constants[slot] for row, slot in enumerate(slots))
            found.append(min(branches, sums.of_all(output) * self.joint(slots)))
        return found

    def _of_signs(
        self, operation: Linear | Weighted, known: Known, plain: Replay, like: list[Tensor], sums: Sums | None
    ) -> float:
        """The constant after an operation of one input whose numbers have several signs."""
        tried = [] if sums is None else [Norm(sums.of_branch(0, 0), "sums of absolute values")]
        if len(like) == len(operation.outputs) == 1:
            tried += by_itself(plain, like[0])
        if not tried:
            raise UnsupportedOperation(f"{known.name} of this size{f' (layer {known.layer})' if known.layer else ''}")
        norm = min(tried)
        if isinstance(operation, Weighted):
            estimate = norms.by_power_iteration(*both_ways(plain, like[0]), like[0].shape[1:])
            self._note(known, known.name, estimate, norm)
        return self._stretched(operation, norm.value)

    def _note(self, known: Known, operation: str, estimate: float, norm: Norm) -> None:
        self.layers.append(LayerBound(known.layer or known.name, operation, estimate, *norm))
