"""Proven bounds of whole critics, against known constants and against what a search finds."""

from collections.abc import Callable
from itertools import pairwise
from math import prod, sqrt

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from lipbench.measuring.bounds import Bound, bound
from lipbench.measuring.functions import of_critic
from lipbench.measuring.secants import profile
from lipbench.nets import MaxMin
from lipbench.nets.cnn_8 import Cnn8
from lipbench.nets.resnet_32 import Down, MeanPool
from lipbench.train.gradients.linear import LINEAR
from tests.train.gradients.layers import LAYERS, call, critic_of

SHAPE = (2, 4, 4)
# What the three sweeps know of a piece alone, and why there is no bound.
WITHOUT = {
    "threshold": "threshold, which jumps from 0.5 to 0.1",
    "hardshrink": "hardshrink, by which the critic may jump",
    "where by its own sign": "gt, by which the critic may jump",
    "masked by its own sign": "gt, by which the critic may jump",
    "where to a constant": "lt, by which the critic may jump",
    "amax of what is masked": "eq, by which the critic may jump",
    "detached": "mul of two activations",
    "a label": "cat with something else for each sample",
    "a label's channel": "getitem with something else for each sample",
    "einsum with a label": "einsum with something else for each sample",
}


def steepest(critic: nn.Module, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> float:
    """The largest secant that a search finds, in float64."""
    rng = torch.Generator().manual_seed(seed)
    ends = [2 * torch.randn(8, *shape, generator=rng, dtype=torch.float64) for _ in range(2)]
    return max(profile(of_critic(critic.double().eval(), None), *ends).values())


def proven(critic: nn.Module, shape: tuple[int, int, int] = SHAPE) -> float:
    found = bound(critic, shape)
    assert found.value is not None, found.obstacle
    return found.value


def layer_of(function: Callable[[Tensor], Tensor]) -> nn.Module:
    """A function as a layer."""
    return call(lambda self, x: function(x))()


def after(function: Callable[[Tensor], Tensor], width: int = 4) -> nn.Module:
    """A critic that takes (width, 1, 1) as they are, applies a function and sums."""
    return nn.Sequential(nn.Flatten(), layer_of(function), layer_of(lambda x: x.sum(1) / sqrt(x.shape[1])))


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - WITHOUT.keys()))
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_nothing_steeper_than_the_bound_is_found_behind_any_layer(name: str) -> None:
    torch.manual_seed(0)
    critic = critic_of(LAYERS[name]())
    assert steepest(critic) <= proven(critic) * (1 + 1e-9)


@pytest.mark.parametrize("name", WITHOUT)
def test_what_may_jump_or_tells_samples_apart_has_no_bound_and_is_named(name: str) -> None:
    found = bound(critic_of(LAYERS[name]()), SHAPE)
    assert found.value is None
    assert found.obstacle == f"{WITHOUT[name]} (layer 1)"


def residual(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        Down(2, 4, halved=True, first=True),
        Down(4, 4, halved=False, first=False),
        nn.ReLU(),
        MeanPool(),
        nn.Linear(4, 1),
    )


MIXED: dict[str, Callable[[int], nn.Module]] = {
    "conv": lambda inputs: nn.Conv2d(inputs, 4, 3, padding=1),
    "strided": lambda inputs: nn.Conv2d(inputs, 4, 4, stride=2, padding=2),
    "grouped": lambda inputs: nn.Conv2d(inputs, 4, 3, padding=1, groups=2, dilation=1),
    "transposed": lambda inputs: nn.ConvTranspose2d(inputs, 4, 3, padding=1),
    "max": lambda inputs: nn.MaxPool2d(3, 1, 1),
    "mean": lambda inputs: nn.AvgPool2d(3, 1, 1),
    "maxmin": lambda inputs: MaxMin(),
    "leaky": lambda inputs: nn.LeakyReLU(0.2),
    "tanh": lambda inputs: nn.Tanh(),
    "gelu": lambda inputs: nn.GELU(),
    "residual": lambda inputs: Down(inputs, 4, halved=False, first=False),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(MIXED)), min_size=1, max_size=6), st.integers(0, 1000))
def test_nothing_steeper_than_the_bound_is_found_in_any_critic(names: list[str], seed: int) -> None:
    torch.manual_seed(seed)
    layers = [nn.Conv2d(2, 4, 1), *(MIXED[name](4) for name in names)]
    critic = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 1))
    assert steepest(critic, seed=seed) <= proven(critic) * (1 + 1e-9)


def test_a_residual_critic_is_bounded_by_the_sum_of_its_branches() -> None:
    """Both branches are linear here: x and 3x."""

    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4, bias=False)
            nn.init.eye_(self.layer.weight).data.mul_(3)

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1) + self.layer(x.flatten(1))

    critic = nn.Sequential(Skip(), nn.Linear(4, 1, bias=False))
    nn.init.constant_(critic[1].weight, 0.5)
    assert proven(critic, (4, 1, 1)) == pytest.approx(4, rel=1e-9)
    assert steepest(critic, (4, 1, 1)) == pytest.approx(4, rel=1e-6)


def sorted_pairs(first: Tensor, second: Tensor) -> Tensor:
    """MaxMin as published critics write it."""
    return torch.cat([torch.max(first, second), torch.minimum(first, second)], 1)


@pytest.mark.parametrize(
    ("function", "constant"),
    [
        (lambda x: x.sort(dim=1).values, 1.0),
        (lambda x: sorted_pairs(*x.chunk(2, 1)), 1.0),
        (lambda x: sorted_pairs(x[:, ::2], x[:, 1::2]), 1.0),
        (lambda x: torch.cat([x.min(1, keepdim=True)[0], x.amax(1, keepdim=True)], 1), 1.0),
        (lambda x: torch.cat([x.amax(1, keepdim=True), x.max(1, keepdim=True)[0]], 1), sqrt(2)),
        (lambda x: F.lp_pool1d(x[:, None], 2.0, 2).squeeze(1), 1.0),
        (lambda x: F.lp_pool1d(x[:, None], 2.0, 2, stride=1).squeeze(1), sqrt(2)),
        (lambda x: torch.cat([x[:, ::2].relu(), x[:, 1::2].tanh()], 1), 1.0),
        (lambda x: torch.cat([x, 2 * x], 1), sqrt(5)),
        (lambda x: torch.stack([x[:, 0], 3 * x[:, 1]], 1), sqrt(10)),
        (lambda x: torch.softmax(x, 1), 0.5),
        (lambda x: F.leaky_relu(-2 * x, 0.1), 2.0),
        (lambda x: F.leaky_relu(x, 4.0), 4.0),
        (lambda x: x.cumsum(1), 4.0),  # by sums of absolute values: 2.88 is its norm
        (lambda x: x.cummax(1).values, 2.0),
        (lambda x: torch.zeros_like(x) + x.detach(), 1.0),
        (lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True), 1.0),
        (lambda x: x.mean(1, keepdim=True), 0.5),
    ],
    ids=range(18),
)
def test_functions_have_the_constants_that_they_have(function: Callable[[Tensor], Tensor], constant: float) -> None:
    assert proven(after(function), (4, 1, 1)) == pytest.approx(constant, rel=1e-9)


@pytest.mark.parametrize(
    ("function", "obstacle"),
    [
        (lambda x: x * x, "mul of two activations"),
        (lambda x: x / x.abs().sum(1, keepdim=True).item(), None),
        (lambda x: x * float(x.mean()), "mean across the batch"),
        (lambda x: x * float(x[0, 0]), "getitem across the batch"),
        (lambda x: x if x.sum() > 0 else -x, "sum across the batch"),
        (lambda x: x if (x > 0).any() else -x, "gt, by which the critic may jump"),
        (lambda x: x if x.numpy(force=True).sum() > 0 else -x, "numpy, by which the critic may jump"),
        (
            lambda x: x.gather(1, x.sort(dim=1).indices),
            "the place of a number among others, by which the critic may jump",
        ),
        (lambda x: F.layer_norm(x, (4,)), "layer_norm"),
        (lambda x: x - x.mean(0), "mean across the batch"),
        (lambda x: x.sqrt(), "sqrt"),
        (lambda x: x + torch.rand_like(x), "rand_like, by which the critic may jump"),
        (lambda x: F.softplus(x, threshold=1.0), "softplus with a threshold of 1, where it jumps"),
        (lambda x: x.round(), "round"),
    ],
    ids=range(14),
)
def test_what_has_no_constant_or_is_not_known_is_named(
    function: Callable[[Tensor], Tensor], obstacle: str | None
) -> None:
    found = bound(after(function), (4, 1, 1))
    assert found.value is None
    assert found.obstacle is not None
    if obstacle is not None:
        assert found.obstacle.startswith(obstacle)
    assert "layer 1" in found.obstacle or obstacle is None or "place" in obstacle


def into_a_column(x: Tensor) -> Tensor:
    collected = torch.zeros(len(x), 4, dtype=x.dtype)
    collected[:, 0].add_(x[:, 0], alpha=50)
    return collected


def through_a_view(x: Tensor) -> Tensor:
    changed = x * 1.0
    view = changed.view(-1, 4)
    F.elu_(changed, 50.0)
    return view


def beside_its_detached(x: Tensor) -> Tensor:
    changed = x * 1.0
    same = changed.detach()
    changed.mul_(50.0)
    return same


def with_repeated(factors: Tensor, product: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Numbers of a sample in the batch, each with something of its own."""
    return lambda x: product(x.reshape(-1, 1, 2), factors.double().repeat(len(x), 1, 1)).reshape(len(x), -1)


MANY = torch.stack([torch.eye(2), 50 * torch.eye(2)])
ONE_OF = torch.tensor([[[1.0, 0.0, 0.0, 0.0]]] * 3)


@pytest.mark.parametrize(
    ("function", "obstacle"),
    [
        (into_a_column, "a tensor that shares memory with one that was changed in place"),
        (through_a_view, "a tensor that shares memory with one that was changed in place"),
        (beside_its_detached, "a tensor that shares memory with one that was changed in place"),
        (with_repeated(MANY, torch.bmm), "bmm with something else for each sample"),
        (with_repeated(MANY.sum(1, keepdim=True), torch.mul), "mul with something else for each sample"),
        (lambda x: (x * ONE_OF.double()).sum(0), "mul across the batch"),
        (torch.func.vmap(lambda x: (x > 9).double()), "a part that torch functions do not see"),
        (lambda x: (x.new_tensor(x) > 9).double(), "new_tensor, by which the critic may jump"),
        (lambda x: torch.zeros_like(x) + len(torch.nonzero(x.relu())), "nonzero"),
        (lambda x: torch.zeros_like(x) + len(x[x > 9].unbind(0)), "gt, by which the critic may jump"),
        (lambda x: torch.zeros_like(x) + len(repr(x)), "repr, by which the critic may jump"),
        (lambda x: F.lp_pool1d(x[:, None], 3.0, 2).squeeze(1), "lp_pool1d of order 3"),
        (lambda x: F.lp_pool1d(x[:, None], 2.0, 3, ceil_mode=True)[:, 0], "lp_pool1d of order 2 with ceil_mode"),
        (lambda x: x.div(nn.Parameter(torch.ones(4).double()), rounding_mode="floor"), "div that rounds"),
        (lambda x: x.diff(dim=1, prepend=torch.ones(len(x), 1).double()), "diff as it is used here"),
        (lambda x: x.view(torch.float32).double(), "view to numbers that are not the same"),
    ],
    ids=range(16),
)
def test_what_steepens_or_jumps_where_one_pass_does_not_show_it_has_no_bound(
    function: Callable[[Tensor], Tensor], obstacle: str
) -> None:
    found = bound(nn.Sequential(nn.Flatten(), layer_of(lambda x: x + function(x).sum(1, keepdim=True))), (4, 1, 1))
    assert found.value is None
    assert found.obstacle is not None
    assert found.obstacle.startswith(obstacle)


def perceptron(seed: int, *widths: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_chain_of_linear_layers_is_bounded_better_than_by_its_product(seed: int) -> None:
    critic = perceptron(seed, 3, 16, 16, 1)
    found = bound(critic, (3, 1, 1))
    assert found.value is not None
    assert steepest(critic, (3, 1, 1), seed) <= found.value * (1 + 1e-9)
    assert found.value < prod(layer.bound for layer in found.layers)


def test_without_functions_between_a_chain_is_exact() -> None:
    """W X⁻¹ Wᵀ with X = I: a single layer's constant is its norm."""
    critic = perceptron(0, 5, 1)
    assert proven(critic, (5, 1, 1)) == pytest.approx(
        float(torch.linalg.vector_norm(critic[1].weight.detach())), rel=1e-6
    )


def test_layers_are_named_and_their_norms_stand_between_two_numbers() -> None:
    torch.manual_seed(0)
    _, critic = Cnn8().make((1, 8, 8), 4)
    found = bound(critic, (1, 8, 8))
    assert [layer.name for layer in found.layers] == ["0", "2", "4", "7"]
    assert found.layers[1].operation == "conv2d 16 → 32, 4×4, stride 2×2, at 8×8"
    assert all(layer.estimate <= layer.bound <= 1.001 * layer.estimate for layer in found.layers)
    assert found.value == pytest.approx(prod(layer.bound for layer in found.layers), rel=1e-9)
    assert found.seconds > 0


def test_batch_norm_is_bounded_as_it_is_in_evaluation_mode_and_said() -> None:
    norm = nn.BatchNorm2d(2, affine=False).eval()
    norm.running_var = torch.full((2,), 0.25 - norm.eps)
    critic = nn.Sequential(norm, nn.Flatten(), layer_of(lambda x: x.sum(1)))
    found = bound(critic, SHAPE)
    assert found.value == pytest.approx(2 * sqrt(prod(SHAPE)), rel=1e-6)
    assert found.notes == ["batch_norm is affine in evaluation mode, and is bounded as such"]


def test_circular_padding_costs_nothing() -> None:
    layer = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular", bias=False)
    nn.init.dirac_(layer.weight)
    found = bound(nn.Sequential(layer, nn.Flatten(), nn.Linear(32, 1)), SHAPE)
    first, last = found.layers
    assert (first.operation, first.method) == ("conv2d 2 → 2, 3×3, at 6×6, circular", "on a torus")
    assert first.estimate == pytest.approx(1, abs=1e-9)
    assert first.bound == pytest.approx(1, abs=1e-9)
    assert found.value == pytest.approx(last.bound, rel=1e-9)


def test_spectral_norm_of_torch_does_not_make_a_convolution_short() -> None:
    """pytorch#99149: the matrix has norm 1, and the convolution more."""
    torch.manual_seed(0)
    critic = nn.Sequential(spectral_norm(nn.Conv2d(2, 8, 3, padding=1), n_power_iterations=200), nn.Flatten())
    critic = nn.Sequential(critic, nn.Linear(128, 1)).eval()
    layer = bound(critic, SHAPE).layers[0]
    assert layer.name == "0.0"
    assert 1.1 < layer.estimate <= layer.bound


def test_the_critic_is_left_as_it_is() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(spectral_norm(nn.Conv2d(2, 4, 3)), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 1))
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    state = torch.random.get_rng_state()
    assert isinstance(bound(critic, SHAPE), Bound)
    assert critic.training
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())
    assert all(not module._forward_hooks for module in critic.modules())


def test_weights_that_are_not_finite_have_no_bound() -> None:
    critic = perceptron(0, 3, 4, 1)
    critic[1].weight.data[0, 0] = torch.nan
    assert bound(critic, (3, 1, 1)).obstacle == "1.weight, which is not finite"


def test_a_critic_that_cannot_be_run_says_so() -> None:
    class Single(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x.flatten(1), torch.ones(1, 3))

    assert "cannot be run in float64" in str(bound(Single(), (3, 1, 1)).obstacle)


def test_each_linear_operation_of_the_three_sweeps_stands_in_a_test_of_bounds() -> None:
    """One more name there must not become a wrong bound here: its matrix may have numbers of both signs."""
    assert len(LINEAR) == 47, "see `recording.ONE_SIGN`, and add a layer to tests/train/gradients/layers.py"
