"""The true norms of convolutions, where they are applied."""

from copy import deepcopy
from math import prod
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from lipbench.errors import RequestError
from lipbench.train.operators import OperatorNorm, Torus, operators, tori
from tests.train.operators import convolutions, dense, norm, on_torus


@settings(max_examples=40)
@given(convolutions())
def test_a_convolution_with_zero_padding_is_a_part_of_the_one_on_its_torus(given: Any) -> None:
    layer, size = given
    torus = Torus.around(layer, size)
    wrapped, padded = on_torus(torus, layer), dense(layer, size)
    assert norm(padded) <= norm(wrapped) * (1 + 1e-9)
    # Every row of it is a row there, moved, with what lies outside of the input left out.
    assert torch.all(padded.square().sum(1) <= wrapped.square().sum(1).max() * (1 + 1e-9))


@settings(max_examples=20)
@given(convolutions(3))
def test_the_adjoint_is_the_transpose(given: Any) -> None:
    layer, size = given
    torus, weight = Torus.around(layer, size), layer.weight.detach()
    x = torus.start(weight)
    image = torus.apply(weight, x)
    y = torch.randn_like(image)
    torch.testing.assert_close((image * y).sum(), (x * torus.adjoint(weight, y)).sum())


@settings(max_examples=20)
@given(convolutions())
def test_a_settled_layer_has_norm_1_on_its_torus_and_at_most_1_where_it_is_applied(given: Any) -> None:
    layer, size = given
    torus = Torus.around(layer, size)
    register_parametrization(layer, "weight", OperatorNorm(torus, layer.weight))
    layer.parametrizations.weight[0].settle(layer.parametrizations.weight.original)
    layer.eval()
    assert norm(on_torus(torus, layer)) == pytest.approx(1, abs=1e-4)
    assert norm(dense(layer, size)) <= 1 + 1e-4


@pytest.mark.parametrize(("layer", "size"), [(nn.Linear(5, 4), ()), (nn.Conv2d(2, 3, 3, 2, 1), (4, 5))])
def test_the_gradient_is_that_of_the_division_by_the_largest_singular_value(
    layer: nn.Module, size: tuple[int, ...]
) -> None:
    torus = Torus.around(layer, size)
    weight = layer.weight.detach().double().requires_grad_()
    division = OperatorNorm(torus, weight)
    division.settle(weight)
    division.eval()
    direction = torch.randn_like(weight)
    (found,) = torch.autograd.grad((division(weight) * direction).sum(), weight)
    columns = prod(division._v.shape)
    unit = torch.eye(columns, dtype=torch.float64).reshape(columns, *division._v.shape)
    matrix = torch.stack([torus.apply(weight, one).flatten() for one in unit], 1)
    exact = weight / torch.linalg.svdvals(matrix)[0]
    (wanted,) = torch.autograd.grad((exact * direction).sum(), weight)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=1e-3)


def test_the_iteration_moves_in_training_alone_and_is_saved_with_the_critic() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, 3, padding=1)
    register_parametrization(layer, "weight", OperatorNorm(Torus.around(layer, (6, 6)), layer.weight))
    copy = deepcopy(layer)
    assert not torch.equal(layer.weight, layer.weight)
    state = deepcopy(layer.state_dict())
    layer.eval()
    assert torch.equal(layer.weight, layer.weight)
    torch.testing.assert_close(layer.state_dict(), state, rtol=0, atol=0)
    copy.load_state_dict(state)
    for one in (copy, layer):
        one.train()
    assert torch.equal(copy.weight, layer.weight)


def test_one_layer_at_two_sizes_is_refused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.input_shape = nn.Conv2d(1, 1, 3), (1, 8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(self.layer(x)).flatten(1)  # type: ignore[no-any-return]  # a module's call has no type

    with pytest.raises(RequestError, match="convolution 'layer' is applied to inputs of 6×6 and 8×8; expected one"):
        tori(Twice(), "sn_conv")


@pytest.mark.parametrize(
    "layer",
    [nn.ConvTranspose2d(1, 1, 3), nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"), nn.LeakyReLU(2.0)],
)
def test_a_layer_that_no_method_can_vouch_for_is_refused(layer: nn.Module) -> None:
    with pytest.raises(RequestError, match=f"aol got a critic with {type(layer).__name__}, for which it cannot vouch"):
        operators(nn.Sequential(layer), "aol")


def test_settling_finds_a_norm_of_which_the_iteration_has_lost_sight() -> None:
    layer = nn.Linear(3, 3, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([1.0, 2.0, 0.5])))
    division = OperatorNorm(Torus(), layer.weight)
    division._v.copy_(torch.tensor([[1.0, 0.0, 0.0]]))
    division.settle(layer.weight.detach())
    assert norm(division.eval()(layer.weight).detach()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_norm_of_a_layer_with_one_input_is_settled_whichever_way_its_vector_points(seed: int) -> None:
    torch.manual_seed(seed)
    weight = torch.tensor([[3.0], [4.0]])
    division = OperatorNorm(Torus(), weight)
    division.settle(weight)
    assert division.eval()(weight).flatten().tolist() == pytest.approx([0.6, 0.8])
