"""What a user's own data file loads is checked before anything is made of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lipbench.errors import PluginError
from lipbench.request.plan import plan
from lipbench.work.parts import load_data, load_pair, load_pictures

HEAD = '"""Mine."""\nimport sys\nimport torch\nfrom lipbench import Dataset, Pair, Pictures\n'
ARRAYS = "        x = (load_digits().images * 15).astype('uint8')\n"
FLOATS = "        x = torch.tensor(load_digits().images / 16, dtype=torch.float32)[:, None]\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """Load the data of a file with this body of `load`."""

    def loaded(body: str, by: Callable[..., Any] = load_data) -> Any:
        path = tmp_path / "mine.py"
        path.write_text(f"{HEAD}from sklearn.datasets import load_digits\nclass Mine(Dataset):\n{body}")
        (planned,) = plan("gn", str(path), [0], "digits", {})
        return by(planned.cell.dataset, planned.sources.__getitem__)

    return loaded


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (ARRAYS, r"data set mine: train is an array of uint8 .*\(1400, 8, 8\).*give torch.from_numpy\(x\)\[:, None\]"),
        (FLOATS, r"data set mine: train is a tensor of float32 from 0 to 1 .*give \(255 \* x\).round\(\).to\(torch"),
    ],
)
def test_arrays_and_floats_are_refused_with_their_cure(load: Any, made: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        load(f"    def load(self):\n{made}        return Pictures(train=x[:1400], held_out=x[1400:])\n")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    def load(self):\n        pass\n", "load of data set mine returns nothing; expected return lipbench.Pict"),
        ("    def load(self):\n        return 1, 2\n", "load of data set mine returns a tuple; expected return lipben"),
        (
            "    def load(self):\n        sys.exit('no')\n",
            r"data set mine ends the program .*SystemExit: no \(.*, in load\)",
        ),
        ("    def laod(self):\n        return 1\n", r"laod is no hook of a data set; did you mean load\?"),
    ],
)
def test_a_load_that_returns_no_pictures_is_refused(load: Any, body: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        load(body, load_pictures)


def test_a_pair_that_breaks_its_promises_is_refused(load: Any) -> None:
    body = (
        "    def load(self):\n        class Two(Pair):\n            dim, w1, digest = 2, -1.0, '00000000'\n"
        "            def sample(self, count, rng): ...\n            def slope(self, points): ...\n"
        "        return Two()\n"
    )
    with pytest.raises(PluginError, match="data set mine: Two.w1 is -1.0; expected the distance"):
        load(body, lambda *given: load_pair(*given, "w1"))
