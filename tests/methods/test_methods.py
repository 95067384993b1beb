"""Known answers for the built-in methods, on critics whose gradients are known."""

import ast

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.plugins import kinds, registry
from lipbench.plugins.names import Name
from lipbench.train.composition import Composition
from lipbench.train.gradients.terms import values_and_norms
from tests.builtin import loss


def create(name: str, **parameters: float) -> Method:
    method: Method = registry.instance(registry.find(kinds.METHOD, Name(name)), parameters)
    return method


def linear(weights: Tensor) -> nn.Sequential:
    layer = nn.Linear(len(weights), 1)
    with torch.no_grad():
        layer.weight.copy_(weights[None])
    return nn.Sequential(nn.Flatten(), layer)


def piecewise() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 1)
    )


def test_clipped_weights_stay_in_the_box_and_inner_ones_stay_as_they_are() -> None:
    critic = linear(torch.tensor([-1.0, 0.02, 3.0]))
    Composition((create("wc", bound=0.05),)).project(critic)
    assert torch.equal(critic[1].weight, torch.tensor([[-0.05, 0.02, 0.05]]))


@pytest.mark.parametrize("bound", [0.0, -0.1])
def test_a_box_without_inside_is_refused(bound: float) -> None:
    with pytest.raises(Exception, match="bound must be greater than 0"):
        create("wc", bound=bound)


@pytest.mark.parametrize(("norm", "penalty"), [(1.0, 0.0), (3.0, 40.0), (0.0, 10.0)])
def test_the_gradient_penalty_is_the_weighted_squared_distance_from_1(norm: float, penalty: float) -> None:
    assert create("gp").penalty(torch.zeros(5), torch.full((5,), norm)) == pytest.approx(penalty)


def test_penalty_points_lie_on_the_segments_with_one_number_a_sample() -> None:
    real, fake = torch.zeros(6, 1, 2, 2), torch.ones(6, 1, 2, 2)
    points = create("gp").penalty_points(real, fake, torch.Generator().manual_seed(0))
    assert points is not None
    assert torch.equal(points, points[:, :1, :1, :1].expand_as(points))
    assert ((points >= 0) & (points <= 1)).all()
    assert len(points.unique()) == 6


def test_hinge_and_wasserstein_losses_have_equal_gradients_under_gradient_normalisation() -> None:
    gradients = []
    for name in ("hinge", "wasserstein"):
        torch.manual_seed(0)
        critic = piecewise()
        value, norm = values_and_norms(critic, torch.randn(8, 1, 4, 4), differentiable=True)
        score = create("gn").score(value, norm)
        loss(name).critic(score[:4], score[4:]).backward()
        gradients.append([weight.grad for weight in critic.parameters()])
    for hinge, wasserstein in zip(*gradients, strict=True):
        assert hinge is not None
        torch.testing.assert_close(hinge, wasserstein, atol=1e-7, rtol=1e-5)


def test_methods_are_short() -> None:
    """Under ten lines of code each: a method says what, never how to differentiate.

    Docstrings and imports do not count, nor do the refusals of what a method cannot do.
    """
    for places in registry.installed(kinds.METHOD).values():
        tree = ast.parse(places[0].path.read_text())
        statements = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt)
            and not isinstance(node, ast.Import | ast.ImportFrom | ast.ClassDef | ast.Raise)
            and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        ]
        refusals = [node for node in ast.walk(tree) if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)]
        assert len(statements) - len(refusals) < 10, places[0].path
