"""Which matrices a critic multiplies with, on layers of every kind."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint

from lipbench import matrices
from tests.builtin import networks

SHAPE = (1, 4, 8)


class Critic(nn.Module):
    """Any parts, and what is done with them to rows (n, 4, 8)."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor], **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self.steps = forward
        for name, part in parts.items():
            setattr(self, name, part if isinstance(part, nn.Module | nn.Parameter) else nn.Parameter(part))
        self.input_shape = SHAPE

    def forward(self, points: Tensor) -> Tensor:
        return self.steps(self, points.flatten(1, 2)).flatten(1).sum(1)


def found(critic: nn.Module) -> set[str]:
    paths = {layer: path for path, layer in critic.named_modules()}
    return {f"{paths[layer]}.{name}".removeprefix(".") for layer, name in matrices(critic)}


def attention() -> nn.Module:
    return nn.MultiheadAttention(8, 2, batch_first=True)


def row(index: int = 0) -> Tensor:
    """A label for each of four samples."""
    return torch.full((4,), index)


SQUARE = torch.randn(8, 8)
MULTIPLIED: dict[str, tuple[Critic, set[str]]] = {
    "a parameter in F.linear": (Critic(lambda s, x: F.linear(x, s.w, s.b), w=SQUARE, b=torch.ones(8)), {"w"}),
    "with a gain": (Critic(lambda s, x: F.linear(x, s.w * s.gain), w=SQUARE, gain=torch.ones(())), {"w"}),
    "with a gain a row": (Critic(lambda s, x: x @ (s.w * s.gain), w=SQUARE, gain=torch.ones(8)), {"w"}),
    "a kernel": (Critic(lambda s, x: F.conv1d(x, s.k, s.b), k=torch.randn(2, 4, 3), b=torch.ones(2)), {"k"}),
    "matmul": (Critic(lambda s, x: x @ s.w, w=SQUARE), {"w"}),
    "from the left": (Critic(lambda s, x: s.w @ x.transpose(1, 2), w=SQUARE), {"w"}),
    "einsum": (Critic(lambda s, x: torch.einsum("nlc,cd->nld", x, s.w), w=SQUARE), {"w"}),
    "addmm": (Critic(lambda s, x: torch.addmm(s.b, x[:, 0], s.w), b=torch.ones(4, 8), w=SQUARE), {"w"}),
    "baddbmm": (Critic(lambda s, x: torch.baddbmm(s.b, x, s.w), b=torch.ones(4, 4, 8), w=torch.ones(4, 8, 8)), {"w"}),
    "a vector as the last layer": (Critic(lambda s, x: x @ s.v, v=torch.ones(8)), {"v"}),
    "by element": (Critic(lambda s, x: x * s.w, w=torch.ones(4, 8)), {"w"}),
    "in place": (Critic(lambda s, x: x.clone().mul_(s.w), w=torch.ones(4, 8)), {"w"}),
    "attention": (
        Critic(lambda s, x: s.attend(x, x, x)[0], attend=attention()),
        {"attend.in_proj_weight", "attend.out_proj.weight"},
    ),
    "fused attention": (
        Critic(lambda s, x: s.attend(x, x, x, need_weights=False)[0], attend=attention()),
        {"attend.in_proj_weight", "attend.out_proj.weight"},
    ),
    "nn.Bilinear": (Critic(lambda s, x: s.form(x, x), form=nn.Bilinear(8, 8, 3)), {"form.weight"}),
    "a bilinear form with a constant": (
        Critic(lambda s, x: s.form(x[:, 0], s.c.expand(4, 8)), form=nn.Bilinear(8, 8, 3), c=torch.ones(1, 8)),
        {"form.weight", "c"},
    ),
    "a projection on a label's row": (
        Critic(lambda s, x: s.rows(row()) * x.sum(1), rows=nn.Embedding(3, 8)), {"rows.weight"}
    ),
    "a transposed convolution": (
        Critic(lambda s, x: s.up(x), up=nn.ConvTranspose1d(4, 2, 3)), {"up.weight"}
    ),
    "a recurrent cell": (
        Critic(lambda s, x: s.cell(x[:, 1], s.cell(x[:, 0])), cell=nn.GRUCell(8, 8)),
        {"cell.weight_ih", "cell.weight_hh"},
    ),
    "weight normalisation": (Critic(lambda s, x: s.inner(x), inner=weight_norm(nn.Linear(8, 8))), {"inner.weight"}),
    "spectral normalisation": (Critic(lambda s, x: s.inner(x), inner=spectral_norm(nn.Linear(8, 8))), {"inner.weight"}),
    "several outputs": (
        Critic(lambda s, x: s.inner(x).chunk(2, dim=-1)[1], inner=nn.Linear(8, 8)), {"inner.weight"}
    ),
    "a checkpoint": (
        Critic(lambda s, x: checkpoint(s.inner, x, use_reentrant=False), inner=nn.Linear(8, 8)), {"inner.weight"}
    ),
    "a checkpoint without a graph": (
        Critic(lambda s, x: checkpoint(s.inner, x, use_reentrant=True), inner=nn.Linear(8, 8)), {"inner.weight"}
    ),
    "what only training uses": (
        Critic(lambda s, x: s.inner(x) if s.training else x, inner=nn.Linear(8, 8)), {"inner.weight"}
    ),
    "a list of parameters": (
        Critic(lambda s, x: x @ s.all[0] @ s.all[1], all=nn.ParameterList([SQUARE, SQUARE])), {"all.0", "all.1"}
    ),
    "a layer that keeps its vectors as parameters": (
        Critic(lambda s, x: _divided(s, x), w=SQUARE, u=nn.Parameter(torch.ones(1, 8), requires_grad=False)), {"w"}
    ),
    "a frozen layer": (Critic(lambda s, x: s.inner(x), inner=nn.Linear(8, 8).requires_grad_(False)), {"inner.weight"}),
}  # fmt: skip


def _divided(critic: Any, points: Tensor) -> Tensor:
    """Spectral normalisation as it was written before torch had it."""
    v = F.normalize(critic.u.data @ critic.w.data.T, dim=1)
    critic.u.copy_(F.normalize(v @ critic.w.data, dim=1))
    return points @ (critic.w / (v @ critic.w @ critic.u.detach().T).sum())


@pytest.mark.parametrize("case", MULTIPLIED)
def test_what_multiplies_the_points_is_found(case: str) -> None:
    critic, expected = MULTIPLIED[case]
    assert found(critic) == expected


ADDED: dict[str, Critic] = {
    "positions": Critic(lambda s, x: x + s.w, w=torch.ones(1, 4, 8)),
    "subtracted": Critic(lambda s, x: s.w - x, w=torch.ones(1, 4, 8)),
    "joined on": Critic(lambda s, x: torch.cat([x, s.w.expand(4, 4, 8)], dim=1), w=torch.ones(1, 4, 8)),
    "stacked": Critic(lambda s, x: torch.stack([x, s.w], dim=1), w=torch.ones(4, 4, 8)),
    "written in": Critic(lambda s, x: torch.where(x > 0, x, s.w), w=torch.ones(1, 4, 8)),
    "an assignment": Critic(lambda s, x: _assigned(x, s.w), w=torch.ones(1, 1, 8)),
    "the larger": Critic(lambda s, x: torch.maximum(x, s.w), w=torch.ones(1, 4, 8)),
    "distances": Critic(lambda s, x: torch.cdist(x, s.w), w=torch.ones(1, 3, 8)),
    "the row of a label": Critic(lambda s, x: x + s.rows(row())[:, None], rows=nn.Embedding(3, 8)),
    "a bias of attention": Critic(
        lambda s, x: F.scaled_dot_product_attention(x, x, x, attn_mask=s.w), w=torch.zeros(4, 4)
    ),
    "a gain": Critic(lambda s, x: x * s.gain, gain=torch.ones(())),
    "a scale of channels": Critic(lambda s, x: x * s.scale, scale=torch.ones(1, 4, 1)),
    "layer normalisation": Critic(lambda s, x: s.norm(x), norm=nn.LayerNorm([4, 8])),
    "batch normalisation": Critic(lambda s, x: s.norm(x), norm=nn.BatchNorm1d(4)),
    "group normalisation": Critic(lambda s, x: s.norm(x), norm=nn.GroupNorm(2, 4)),
    "slopes": Critic(lambda s, x: s.activation(x), activation=nn.PReLU(4)),
}


def _assigned(points: Tensor, row: Tensor) -> Tensor:
    points = points.clone()
    points[:, :1] = row
    return points


@pytest.mark.parametrize("case", ADDED)
def test_what_is_added_or_scales_channels_is_no_matrix(case: str) -> None:
    assert found(ADDED[case]) == set()


def test_a_matrix_of_two_layers_is_there_for_each() -> None:
    critic = Critic(lambda s, x: s.second(s.first(x)), first=nn.Linear(8, 8), second=nn.Linear(8, 8))
    critic.second.weight = critic.first.weight
    assert found(critic) == {"first.weight", "second.weight"}


@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_neither_the_critic_nor_random_numbers(training: bool) -> None:
    critic = Critic(
        lambda s, x: s.norm(s.inner(x + torch.randn_like(x))).relu(),
        inner=spectral_norm(nn.Linear(8, 8)), norm=nn.BatchNorm1d(4),
    ).train(training)  # fmt: skip
    critic.inner.bias.requires_grad_(False)
    before, state = torch.get_rng_state(), {name: value.clone() for name, value in critic.state_dict().items()}
    assert found(critic) == {"inner.weight"}
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, critic.state_dict()[name]) for name, value in state.items())
    assert [weight.requires_grad for weight in critic.parameters()].count(False) == 1
    assert all(weight.grad is None for weight in critic.parameters())
    assert all(layer.training is training for layer in critic.modules())


@pytest.mark.parametrize(("name", "side"), [("cnn-8", 8), ("resnet-32", 32), ("mlp", 1)])
def test_the_shared_critics_have_those_of_their_linear_and_convolutional_layers(name: str, side: int) -> None:
    shape = (3, side, side)
    _, critic = networks(name, shape, 3)
    critic.input_shape = shape  # type: ignore[assignment]
    layers = [layer for layer in critic.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    assert matrices(critic) == [(layer, "weight") for layer in layers]


def test_a_critic_that_flattens_by_view_is_looked_at_in_any_layout() -> None:
    critic = Critic(
        lambda s, x: s.out(s.kernel(x[:, None]).view(4, -1)), kernel=nn.Conv2d(1, 3, 3), out=nn.Linear(36, 1)
    ).to(memory_format=torch.channels_last)
    assert found(critic) == {"kernel.weight", "out.weight"}
    assert critic.kernel.weight.is_contiguous(memory_format=torch.channels_last)


def test_without_a_shape_of_points_every_matrix_counts() -> None:
    critic = Critic(lambda s, x: s.inner(x) + s.w, inner=nn.Linear(8, 8), w=torch.ones(1, 4, 8))
    del critic.input_shape
    assert found(critic) == {"inner.weight", "w"}


def test_a_vector_that_a_pass_does_not_reach_is_no_matrix() -> None:
    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.b, self.head = nn.Parameter(torch.zeros(1, 4, 1, 1)), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return x

    critic = nn.Sequential(Norm(), nn.Flatten(), nn.Linear(16, 1))
    critic.input_shape = (1, 4, 4)  # type: ignore[assignment]  # as it is built
    assert matrices(critic) == [(critic[0].head, "weight"), (critic[2], "weight")]


def test_a_vector_in_the_shape_of_a_matrix_is_one() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.row, self.gain = (nn.Parameter(torch.randn(size)) for size in (64, 4, 16))

        def forward(self, x: Tensor) -> Tensor:
            return (x.flatten(1) * self.gain @ self.flat.view(16, 4)) @ self.row[:, None]

    critic = Flat()
    critic.input_shape = (1, 4, 4)  # type: ignore[assignment]  # as it is built
    assert matrices(critic) == [(critic, "flat"), (critic, "row")]
