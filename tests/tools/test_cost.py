"""What a training step costs."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

import lipbench
from lipbench.cli import main
from lipbench.errors import RequestError
from lipbench.screen.scores import show_cost
from lipbench.tools import cost
from lipbench.tools.cost import median_interval
from lipbench.train import host
from lipbench.train.graph import Graphs
from tests.train.recording import Recording

QUICK: dict[str, Any] = {"architecture": "cnn-8", "batch_size": 4, "rounds": 2}


def by_key(records: list[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {(record["method"], record["engine"], record["part"]): record for record in records}


def test_every_method_is_measured_by_the_engines_that_make_a_difference_to_it() -> None:
    found = by_key(lipbench.cost("sn,gp,gn,sn+gn", **QUICK))
    both = ["three-sweep", "double-backward"]
    engines = {"none": ["plain"], "sn": ["plain"], "gp": both, "gn": both, "sn+gn": both}
    wanted = [(method, engine) for method, listed in engines.items() for engine in listed]
    assert list(dict.fromkeys((method, engine) for method, engine, _ in found)) == wanted
    assert {part for _, _, part in found} == {"critic", "generator", "iteration"}


def test_where_there_are_graphs_an_iteration_is_timed_as_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    build = cost.build_trainer

    def graphed(*given: Any) -> Any:
        made = build(*given)
        made.graphs = Graphs(made, Recording(made))
        if made.composition.methods[0].guarantee == "layerwise":
            made.graphs.reason = "a step changes critic.count on the host"
        return made

    monkeypatch.setattr(cost, "build_trainer", graphed)
    monkeypatch.setattr(host, "of_random_numbers", dict)  # the checks of types draw some
    records = lipbench.cost("gn,sn", **QUICK)
    found = by_key(records)
    assert {part for _, _, part in found} == {"critic", "generator", "iteration", "graph"}
    assert found["gn", "double-backward", "graph"]["cuda_graph_reason"] is None
    assert found["gn", "double-backward", "graph"]["forward_equivalents"] is None
    console = Console(width=120, record=True, file=StringIO())
    show_cost(console, records)
    shown = console.export_text()
    assert "graph ms" in shown
    assert "sn by plain is no graph: a step changes critic.count on the host." in shown


def test_operations_are_counted_and_times_are_those_of_the_rounds() -> None:
    found = by_key(lipbench.cost("gn", **(QUICK | {"batch_size": 32})))
    counts = {key[1:]: record["forward_equivalents"] for key, record in found.items()}
    assert counts["plain", "critic"] == pytest.approx(3, abs=0.05)
    assert counts["three-sweep", "critic"] == pytest.approx(4, abs=0.05)
    assert counts["double-backward", "critic"] == pytest.approx(6, abs=0.05)
    assert counts["three-sweep", "generator"] == pytest.approx(2, abs=0.05)
    assert counts["double-backward", "generator"] == pytest.approx(5, abs=0.05)
    assert counts["three-sweep", "iteration"] is None
    for record in found.values():
        assert 0 < record["seconds_low"] <= record["seconds"] <= record["seconds_high"]
        assert record["peak_memory_bytes"] > 0
        if record["method"] == "none":
            assert record["ratio_to_none"] == 1
    memory = {key[1]: record["peak_memory_bytes"] for key, record in found.items() if key[2] == "critic"}
    assert memory["plain"] < memory["three-sweep"] <= memory["double-backward"]


def test_the_records_say_what_they_were_measured_with() -> None:
    import torch

    (record, *_) = lipbench.cost("wc", precision="bfloat16", **QUICK)
    assert (record["architecture"], record["batch_size"], record["precision"]) == ("cnn-8", 4, "bfloat16")
    assert record["device"].startswith("cpu")
    assert record["torch"] == torch.__version__


def test_one_engine_can_be_asked_for() -> None:
    records = lipbench.cost("gn", engine="double-backward", **QUICK)
    assert {record["engine"] for record in records} == {"plain", "double-backward"}


def test_the_interval_of_a_median_takes_its_ends_from_the_binomial_distribution() -> None:
    # As tables of the sign test say for 20 values.
    assert median_interval([float(value) for value in range(1, 21)]) == (6, 15)
    assert median_interval([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert median_interval([7.0]) == (7.0, 7.0)


def test_the_command_shows_a_table_and_writes_records_and_figure(tmp_path: Path) -> None:
    file = tmp_path / "cost.json"
    words = ["cost", "--methods", "gn", "--architecture", "cnn-8", "--batch-size", "4", "--rounds", "2"]
    result = CliRunner().invoke(main, [*words, "--json", str(file), "--results", str(tmp_path / "results")])
    assert result.exit_code == 0, result.output
    assert "double-backward" in result.output
    keys = {"method", "engine", "architecture", "batch_size", "part", "seconds", "seconds_low", "seconds_high"}
    keys |= {"shape", "ratio_to_none", "forward_equivalents", "peak_memory_bytes", "device", "precision", "torch"}
    assert all(set(record) == keys for record in json.loads(file.read_text()))
    made = {path.name for path in (tmp_path / "results" / "cost").iterdir()}
    assert made == {f"cnn-8-b4-float32.{ending}" for ending in ("png", "svg", "pdf")}


def test_networks_of_the_users_own_are_measured_on_pictures_of_any_size(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "def make(shape, latent_dim):\n    import small\n    return small.make(shape, latent_dim)\n"
    )
    (tmp_path / "small.py").write_text(
        "from torch import nn\ndef make(shape, latent_dim):\n    size = shape[0] * shape[1] * shape[2]\n"
        "    assert shape[0] < 3, 'grey alone'\n"
        "    return nn.Sequential(nn.Linear(latent_dim, size), nn.Unflatten(1, shape)), "
        "nn.Sequential(nn.Flatten(), nn.Linear(size, 1))\n"
    )
    words = ["cost", "--methods", "wc", "--architecture", f"{tmp_path}/nets.py:make", "--side", "6"]
    words += ["--batch-size", "4", "--rounds", "1", "--results", str(tmp_path / "results")]
    result = CliRunner().invoke(main, [*words, "--channels", "2"])
    assert result.exit_code == 0, result.output
    assert "nets:make, 2×6×6, batch 4" in result.output
    (picture,) = (tmp_path / "results" / "cost").glob("*.png")
    assert re.fullmatch(r"nets-make-[0-9a-f]{6}-2x6x6-b4-float32\.png", picture.name)
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 2
    assert f"making networks: AssertionError: grey alone ({tmp_path}/small.py, line 4, in make)" in refused.stderr
    assert "(3, 6, 6)" in refused.stderr


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"architecture": "cnn-9"}, "unknown architecture 'cnn-9'.*Did you mean 'cnn-8'"),
        ({"rounds": 0}, "rounds is 0; expected a whole number of at least 1"),
        ({"precision": "float16"}, "precision is 'float16'; expected one of: float32"),
        ({"precision": "tf32", "device": "cpu"}, "precision tf32 needs an NVIDIA GPU"),
        ({"methods": "gm"}, "unknown method 'gm'"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        lipbench.cost(**(QUICK | {"methods": "gn"} | changes))


def test_a_method_that_the_engine_asked_for_cannot_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "smooth.py"
    path.write_text(
        '"""Smooth."""\nfrom torch import nn\nfrom lipbench import Method\n\n\nclass Smooth(Method):\n'
        "    def constrain(self, critic):\n        critic[1] = nn.Softplus()\n        return critic\n\n"
        "    def score(self, value, grad_norm):\n        return value / (grad_norm + value.abs() + 1e-12)\n"
    )
    with pytest.raises(RequestError, match="smooth cannot be run by three-sweep: .* do not know softplus"):
        lipbench.cost(str(path), engine="three-sweep", **QUICK)
    records = lipbench.cost(str(path), **QUICK)
    assert {record["engine"] for record in records if record["method"] == "smooth"} == {"double-backward"}
