"""Networks and methods that do not fit together are refused in one sentence, before anything is trained."""

import re
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import torch

from lipbench.errors import RequestError
from lipbench.request.plan import plan
from lipbench.work.prepare import create
from lipbench.work.stages import Stages
from tests.work.cells import checked, method_file

MAKE = "def make(shape, latent_dim): return "


@pytest.mark.parametrize(
    ("nets", "expected"),
    [
        ("def other(shape, latents): ...\n", "defines no function 'make'"),
        (MAKE + "None\n", "gives NoneType; expected two modules"),
        (
            MAKE + "nn.Linear(latent_dim, 3), small(shape, latent_dim)[1]\n",
            r"the generator gives \(4, 3\) for 4 latents; expected \(4, 1, 8, 8\)",
        ),
        (
            MAKE + "small(shape, latent_dim)[0], nn.Conv2d(1, 1, 1)\n",
            r"the critic gives \(4, 1, 8, 8\) for 4 samples; expected one number a sample.*with .mean\(\(1, 2, 3\)\)",
        ),
        (MAKE + "small(shape, latent_dim)[0], nn.Flatten()\n", "without weights"),
        (
            "class Dict(nn.Linear):\n    def forward(self, x): return {'value': super().forward(x.flatten(1))}\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Dict(64, 1))\n",
            r"gives dict \('value': \(4, 1\)\).*return self.net\(x\)\['value'\]",
        ),
        (
            "class Nothing(nn.Linear):\n    def forward(self, x): super().forward(x.flatten(1))\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Nothing(64, 1))\n",
            r"gives nothing \(None\).*end its forward with return",
        ),
        (
            "class Labelled(nn.Linear):\n    def forward(self, x, y): return super().forward(x.flatten(1)) + y\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Labelled(64, 1))\n",
            r"forward of the critic takes \(x, y\) \(missing.*'y'\); expected points alone.*self.label.expand\(len\(x",
        ),
        (
            "class Noise(nn.Linear):\n    def forward(self, z, c): return super().forward(z).view(-1, 1, 8, 8)\n"
            + MAKE
            + "(Noise(latent_dim, 64), small(shape, latent_dim)[1])\n",
            r"forward of the generator takes \(z, c\).*expected latents alone",
        ),
        (
            "from torch.utils.checkpoint import checkpoint\nclass Sparing(nn.Linear):\n"
            "    def forward(self, x): return checkpoint(super().forward, x.flatten(1), use_reentrant=True)\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Sparing(64, 1))\n",
            r"differentiating the critic at its points: RuntimeError.*expected .*use_reentrant=False\)",
        ),
        ("import nowhere\n", r"does not import: ModuleNotFoundError: No module named 'nowhere'"),
        (
            "class Pair(nn.Linear):\n    def forward(self, x): return super().forward(x.flatten(1)), x\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Pair(64, 1))\n",
            r"the critic gives tuple \(0: \(4, 1\), 1: \(4, 1, 8, 8\)\) for 4 samples; expected one number a sample, "
            r"\(4,\) or \(4, 1\): wrap it in a module whose forward ends with return self.net\(x\)\[0\]",
        ),
        (
            MAKE + "(nn.ConvTranspose2d(latent_dim, 1, 8), small(shape, latent_dim)[1])\n",
            r"takes latents of shape \(n, 64, 1, 1\); expected \(n, 64\): put nn.Unflatten\(1, \(latent_dim, 1, 1\)\)",
        ),
        ("def make(latent_dim): ...\n", r"takes \(latent_dim\) .*expected \(image_shape, latent_dim\)"),
        (
            "class Own(nn.Linear):\n    def forward(self, x): return wrong\n"
            + MAKE
            + "(small(shape, latent_dim)[0], Own(64, 1))\n",
            r"points of shape \(4, 1, 8, 8\): NameError: name 'wrong' is not defined \(.*nets.py, line 4, in forward\)",
        ),
        (
            MAKE + "(nn.Sequential(nn.Linear(latent_dim, 64), nn.Unflatten(1, shape), "
            "nn.Hardtanh(-3, 3)).apply(lambda m: getattr(m, 'bias', None) is None or nn.init.constant_(m.bias, 2)), "
            "small(shape, latent_dim)[1])\n",
            "the generator gives pictures from .*expected −1 to 1.*nn.Tanh",
        ),
        (
            "def make(shape, latent_dim): return open(__file__.replace('architecture.py', 'w.pt'))\n",
            "FileNotFoundError: .*line 3, in make.*expected code that reads no file beside itself: a run has copies",
        ),
        (
            "open(__file__ + 'w')\n",
            "does not import: FileNotFoundError: .*line 3.; expected code that reads no file beside",
        ),
        (
            "def make(shape, z):\n    import nowhere\n",
            r"'nowhere' \(.*nets.py, line 4, in make\)\. Modules of your own",
        ),
        ("import sys\nsys.exit(0)\n", r"SystemExit: 0 .*nets.py, line 4"),
    ],
)
def test_an_architecture_that_does_not_keep_its_promises_is_refused(tmp_path: Path, nets: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected) as caught:
        checked(tmp_path, nets=nets)
    assert "method.py" not in str(caught.value)
    assert "architecture.py" not in str(caught.value)  # the user knows the original, not the copy


HEAD = "from pathlib import Path\nfrom torch import nn\n"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ("class Block(nn.Linear):\n    def forward(self, x): return wrong\n", "Error.*blocks.py, line 4, in forward"),
        ("class Block(nn.Linear): ...\n1 / 0\n", "ZeroDivisionError.*blocks.py, line 4"),
        (
            "class Block(nn.Linear):\n    def __init__(self, *sizes): open(Path(__file__).parent / 'more' / 'w.pt')\n",
            "No such file or directory: '{}/more/w.pt'.*blocks.py, line 4.*expected code that reads no file beside",
        ),
        ("class Block(nn.Linear): ...\nopen(Path(__file__).parents[1] / 'w.pt')\n", "expected code that reads no file"),
    ],
)  # fmt: skip
def test_what_a_module_beside_the_file_raises_is_told_with_its_own_place(
    tmp_path: Path, blocks: str, expected: str
) -> None:
    (tmp_path / "blocks.py").write_text(HEAD + blocks)
    nets = "def make(shape, latent_dim):\n    from blocks import Block\n"
    nets += "    return small(shape, latent_dim)[0], nn.Sequential(nn.Flatten(), Block(64, 1))\n"
    with pytest.raises(RequestError, match=expected.format(tmp_path)) as caught:
        checked(tmp_path, nets=nets)
    assert "architecture" not in str(caught.value)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("nn.Sigmoid()", "The generator gives nothing below 0 .*, as after a sigmoid; expected −1 to 1"),
        ("nn.Identity()", "The generator has no bound .*for large latents"),
    ],
)
def test_a_generator_of_another_range_is_told(tmp_path: Path, end: str, expected: str) -> None:
    nets = (
        "def make(shape, latent_dim):\n    first = nn.Linear(latent_dim, 64)\n"
        "    nn.init.normal_(first.weight, std=0.01)\n"
        f"    return nn.Sequential(first, nn.Unflatten(1, shape), {end}), small(shape, latent_dim)[1]\n"
    )
    heard = checked(tmp_path, "wc", nets=nets)
    assert re.search(expected, "\n".join(heard.notes)), heard.notes


def test_weights_of_a_generator_that_are_never_trained_are_told(tmp_path: Path) -> None:
    nets = (
        "class Cut(nn.Module):\n    def forward(self, z): return z.detach()\n"
        "def make(shape, latent_dim):\n    g, c = small(shape, latent_dim)\n"
        "    return nn.Sequential(nn.Linear(latent_dim, latent_dim), Cut(), *g), c\n"
    )
    heard = checked(tmp_path, "wc", nets=nets)
    assert any("2 weights of the generator get no gradient" in note and "'0.weight'" in note for note in heard.notes)


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("def score(self, value, grad_norm): return weight * value",
         r"mine on digits fails while trying score of mine: NameError: .*mine.py, line 5, in score\); expected"),
        ("def score(self, value, grad_norm): return value / grad_norm.max()", "mixes the samples of a batch"),
        ("def project(self, critic): raise OSError('no luck')", r"trying project of mine: OSError: no luck"),
        ("def constrain(self, critic): critic.eval()", r"gives nothing \(None\)"),
    ],
)  # fmt: skip
def test_a_method_is_named_with_its_hook_and_line(tmp_path: Path, hook: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        checked(tmp_path, method_file(tmp_path, hook))


def test_networks_that_do_not_go_by_the_seed_are_refused(tmp_path: Path) -> None:
    nets = "import torch\ndef make(shape, latent_dim):\n    torch.manual_seed(0)\n    return small(shape, latent_dim)\n"
    with pytest.raises(RequestError, match="architecture nets:make gives the same weights for every seed"):
        checked(tmp_path, "wc", nets=nets)


def test_data_that_differ_from_call_to_call_are_refused(tmp_path: Path) -> None:
    data = (
        '"""Noise."""\nimport torch\nfrom lipbench import Dataset, Pictures\nclass Mine(Dataset):\n'
        "    def load(self):\n        x = torch.randint(0, 256, (80, 1, 8, 8), generator=torch.Generator(){})\n"
        "        return Pictures(x[9:].to(torch.uint8), x[:9].to(torch.uint8))\n"
    )
    with pytest.raises(RequestError, match="load of data set mydata gives other pictures at each call"):
        checked(tmp_path, "wc", data=data.format(".manual_seed(torch.seed())"))
    checked(tmp_path, "wc", data=data.format(".manual_seed(0)"))


def test_a_critic_that_is_no_function_of_its_points_is_told(tmp_path: Path) -> None:
    nets = (
        "import torch\nclass Noise(nn.Module):\n    def forward(self, x): return x + torch.randn_like(x)\n"
        "def make(shape, latent_dim):\n    g, c = small(shape, latent_dim)\n    return g, nn.Sequential(Noise(), c)\n"
    )
    heard = checked(tmp_path, "wc", nets=nets)
    assert any("it is no function, and has neither gradient norms nor secants" in note for note in heard.notes)


def test_matrices_that_a_constraint_leaves_free_are_told(tmp_path: Path) -> None:
    orthogonal = "torch.nn.utils.parametrizations.orthogonal"
    mine = method_file(tmp_path, f"def constrain(self, critic): {orthogonal}(critic[-1]); return critic")
    heard = checked(tmp_path, mine)
    expected = "mine leaves 0.weight (16 × 1 × 3 × 3), 2.weight (32 × 16 × 4 × 4), 4.weight (64 × 32 × 4 × 4) of the"
    assert any(note.startswith(expected) for note in heard.notes), heard.notes


def test_a_certificate_that_ends_at_a_sum_of_branches_is_told(tmp_path: Path) -> None:
    nets = (
        "class Twice(nn.Sequential):\n    def forward(self, x): return x + x.abs()\n"
        "def make(shape, latent_dim):\n    g, c = small(shape, latent_dim)\n    return g, nn.Sequential({}, *c)\n"
    )
    expected = "ortho aims at a Lipschitz constant of 1, and of this critic 2 is proven: its layers keep to their norms"
    twice = checked(tmp_path, "ortho", nets=nets.format("Twice(nn.Identity())"))
    assert any(note.startswith(expected) for note in twice.notes), twice.notes
    assert not any("proven" in note for note in checked(tmp_path, "ortho", nets=nets.format("nn.Identity()")).notes)


def test_a_plain_dataclass_is_a_method(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        '"""Mine."""\nfrom dataclasses import dataclass\nfrom lipbench import Method\n@dataclass\nclass Mine(Method):\n'
        "    weight: float = 2.0\n    def score(self, value, grad_norm): return self.weight * value / (1 + grad_norm)\n"
    )
    checked(tmp_path, str(tmp_path / "mine.py"))


@pytest.mark.parametrize("protocol", ["digits", "w1"])
def test_checking_changes_nothing_that_training_depends_on(protocol: str) -> None:
    (planned,) = plan("sn", None, [0], protocol, {})
    job = create(planned.cell, planned.sources.__getitem__, torch.device("cpu"))
    before = deepcopy(job.training.state_dict())
    job.check(Stages(f"sn on {protocol}"))
    after = job.training.state_dict()
    torch.testing.assert_close(
        *({key: value for key, value in state.items() if key != "global_random_python"} for state in (after, before)),
        rtol=0,
        atol=0,
    )


def test_a_module_that_is_found_otherwise_than_by_the_file_is_told(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "found_elsewhere.py").write_text("size = 4\n")
    nets = (
        f"import sys\nsys.path.append({str(elsewhere)!r})\nimport found_elsewhere\n"
        "def make(shape, latent_dim): return small(shape, latent_dim)\n"
    )
    try:
        heard = checked(tmp_path, "wc", nets=nets)
    finally:
        sys.path.remove(str(elsewhere))
        del sys.modules["found_elsewhere"]
    assert any("found_elsewhere.py' is imported otherwise than by an import" in note for note in heard.notes)
