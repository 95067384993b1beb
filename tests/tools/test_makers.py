"""Critics from a user's own file."""

from pathlib import Path

import pytest
import torch

from lipbench.errors import RequestError
from lipbench.tools.makers import find_maker, usual_shape

HEAD = (
    "from torch import nn\ndef net(c=3): return nn.Sequential(nn.Conv2d(c, 2, 4, 2), nn.Flatten(), nn.Linear({}, 1))\n"
)
NETS = HEAD.format(450)  # for 32×32
KINDS = """
def plain(): return net()
def of_shape(shape): return net(shape[0])
def pair(image_shape, latent_dim): return nn.Linear(latent_dim, 3), net(image_shape[0])
def offered(image_shape=(9, 9, 9), width=3): return net(image_shape[0])
def optional(width=3): return net()
class Critic(nn.Sequential):
    def __init__(self): super().__init__(*net())
made = net()
"""


def named(tmp_path: Path, text: str, function: str, head: str = NETS) -> str:
    (tmp_path / "critic.py").write_text(head + text)
    return f"{tmp_path / 'critic.py'}:{function}"


@pytest.mark.parametrize("function", ["plain", "of_shape", "pair", "offered", "optional", "Critic", "made"])
def test_a_function_a_class_or_a_module_gives_the_critic_for_the_shape(function: str, tmp_path: Path) -> None:
    maker = find_maker(named(tmp_path, KINDS, function))
    assert usual_shape(maker, 0) == (3, 32, 32)
    assert maker.make((3, 32, 32), 0)(torch.zeros(2, 3, 32, 32)).shape == (2, 1)


def test_weights_by_chance_go_by_the_seed(tmp_path: Path) -> None:
    maker = find_maker(named(tmp_path, KINDS, "plain"))
    first, again, other = (maker.make((3, 32, 32), seed).state_dict()["0.weight"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("net(1)", (1, 28, 28)),
        ("nn.Linear(2, 1)", (2, 1, 1)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(12288, 1))", (12288, 1, 1)),
    ],
)
def test_a_usual_shape_is_one_that_the_critic_takes(body: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    head = HEAD.format(2 * 13 * 13)
    assert usual_shape(find_maker(named(tmp_path, f"def make(): return {body}", "make", head)), 0) == shape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def make(): raise KeyError('boom')", r"make\(\) fails: KeyError: 'boom' \(.*line 3, in make\); expected"),
        ("def make(): pass", r"make gives nothing \(None\); expected a torch.nn.Module"),
        ("def make(): return 1, 2, 3", "make gives a tuple; expected a torch.nn.Module"),
        ("def make(a, b, c): pass", r"make takes \(a, b, c\); expected one that is called without arguments"),
        ("def make(*, width): pass", r"make takes \(\*, width\); expected one that is called"),
        ("def other(): pass", "no function or class 'make' in .*; expected one of those that it defines: .*other"),
        ("make = 3", "no function or class 'make'"),
        ("def make(", "'.*critic.py' is not valid Python"),
        ("import nowhere_to_be_found\ndef make(): return net()", "nowhere_to_be_found"),
        ("def make(): return nn.Sequential(nn.Conv2d(3, 2, 3), nn.Linear(7, 1))", "takes none of the usual shapes"),
    ],
)
def test_what_gives_no_critic_is_refused_with_its_place(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=expected):
        usual_shape(find_maker(named(tmp_path, text, "make")), 0)


def test_a_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no file .*nowhere.py"):
        find_maker(f"{tmp_path}/nowhere.py:make")
