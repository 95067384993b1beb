"""What the manual's pages say is what happens."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import lipbench
from lipbench.api.launching import make_launcher
from lipbench.cli import main
from lipbench.interfaces.plugin import parameters
from lipbench.plugins import registry
from lipbench.plugins.kinds import LOSS, METHOD, Kind
from lipbench.plugins.names import Name
from lipbench.reports import promised
from lipbench.reports.reading.columns import NAMES
from lipbench.reports.statistics.intervals import t_interval
from lipbench.request.plan import plan
from lipbench.work.prepare import prepare
from tests.conftest import TINY
from tests.work.cells import Heard

ROOT = Path(__file__).parent.parent
CRITIC, PLUGINS, CLUSTERS, METHODS, AUDIT, MEASURED, PICTURES = (
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in (
        "your-own-critic.md",
        "plugins.md",
        "clusters.md",
        "methods.md",
        "audit.md",
        "measured.md",
        "pictures.md",
    )
)


def examples(page: str) -> dict[str, str]:
    return dict(re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", page, re.DOTALL))


EXAMPLES = examples(CRITIC)


def space(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(EXAMPLES[name], found)
    return found


@pytest.mark.parametrize(("method", "engine"), [("gn", "three-sweep"), ("mine.py", "plain")])
def test_the_example_of_networks_is_accepted_and_quick(tmp_path: Path, method: str, engine: str) -> None:
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    heard = Heard()
    methods = str(tmp_path / method) if method.endswith(".py") else method
    changed = TINY | {"architecture": f"{tmp_path / 'nets.py'}:make"}
    (planned,) = plan(methods, None, [0], "digits", changed)
    job = prepare(planned, "cpu", tmp_path, heard, measure=False)
    assert job.training.engine_name == engine
    assert job.training.composition.left_free == []
    assert not [note for note in heard.notes if "critic" in note or "generator" in note]


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (32, 3), (48, 3)])
def test_the_example_of_networks_is_for_pictures_of_any_size(side: int, channels: int) -> None:
    generator, critic = space("nets.py")["make"]((channels, side, side), 16)
    fake = generator(torch.randn(2, 16))
    assert fake.shape == (2, channels, side, side)
    assert critic(fake).shape == (2, 1)


def test_the_wrapper_of_a_conditional_critic_fixes_or_averages_its_label() -> None:
    class Conditional(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return (x.flatten(1).sum(1) * y)[:, None]

    points, at_labels = torch.randn(5, 1, 2, 2), space("wrappers.py")["AtLabels"]
    once = points.flatten(1).sum(1)
    torch.testing.assert_close(at_labels(Conditional(), [3])(points), 3 * once)
    torch.testing.assert_close(at_labels(Conditional(), [0, 1, 5])(points), 2 * once)


def test_the_wrapper_of_a_critic_with_features_gives_its_values() -> None:
    class Both(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.flatten(1).sum(1), x

    points = torch.randn(5, 1, 2, 2)
    assert torch.equal(space("wrappers.py")["Values"](Both())(points), points.flatten(1).sum(1))


def test_the_examples_of_plugins_run_together_and_their_measures_are_in_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in examples(PLUGINS).items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    line, *_ = re.findall(r"```bash\n(.*?)```", PLUGINS, re.DOTALL)
    _, command, *words = shlex.split(line)
    assert CliRunner().invoke(main, [command, *words]).exit_code == 0
    made = lipbench.report()
    taken = made.runs[["sharpness", "score_gap", "precision", "recall", "density", "coverage"]]
    assert len(taken) == 2
    assert taken.notna().all(axis=None)
    assert {"score gap", "sharpness", "recall"} <= set(made.sections[0].shown.columns)
    assert not made.problems


def test_the_example_of_an_audit_is_audited_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "critic.py").write_text(examples(AUDIT)["critic.py"])
    found = lipbench.audit(f"{tmp_path / 'critic.py'}:make", data="digits", score="gn")
    for layer in found["layers"]:
        assert f"  {layer['name']}      {layer['operation']} " in AUDIT
    assert found["score"]["continuity"] == "jumps"
    assert found["critic"]["upper"] == pytest.approx(1.42, rel=0.01)


def test_points_of_ones_own_are_trained_on(tmp_path: Path) -> None:
    (tmp_path / "cross.py").write_text(examples(PICTURES)["cross.py"])
    changed = {"evaluate.samples": 64, "evaluate.critic_points": 16}
    (planned,) = plan("gp", str(tmp_path / "cross.py"), [0], "modes", changed)
    job = prepare(planned, "cpu", tmp_path, Heard(), measure=False)
    record, shown = job.evaluate(final=False)
    assert isinstance(shown, dict)
    assert (shown["samples"].shape, "modes_covered" in record) == ((64, 2), False)


def test_a_measure_of_ones_own_is_at_most_15_lines() -> None:
    for name in ("sharpness.py", "score_gap.py"):
        assert len(examples(PLUGINS)[name].splitlines()) <= 15


def test_every_command_of_the_pages_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(EXAMPLES["nets.py"])
    monkeypatch.chdir(tmp_path)
    for name in ("one_by_one.py", "my_launcher.py"):
        (tmp_path / name).write_text(examples(PLUGINS)["one_by_one.py"])
    blocks = [
        block
        for page in (CRITIC, PLUGINS, CLUSTERS, AUDIT, MEASURED, PICTURES)
        for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"^\|[^|]*\| `(lipbench [^`]*)`", CLUSTERS, re.MULTILINE)
    assert len(lines) == 32
    for line in lines:
        _, command, *words = shlex.split(line)
        context = main.commands[command].make_context(command, words, parent=click.Context(main))
        if "on" in context.params:
            make_launcher(context.params["on"])


@pytest.mark.parametrize("protocol", ["digits", "w1"])
def test_the_page_of_measurements_says_what_the_reference_runs_say(protocol: str) -> None:
    runs = pd.read_csv(ROOT / "results" / "reference" / protocol / "all-methods.csv").reindex(columns=NAMES)
    found = promised.table(runs)
    assert found is not None
    assert {name.partition("[")[0] for name in found["method"]} == set(registry.installed(METHOD))
    for row in found.to_dict("records"):
        mine = runs[runs["method"] == row["method"]]
        ratios = mine["w1_estimate"] / mine["w1_true"]
        quality = [f"{mine['cos'].mean():.2f}", f"{ratios.min():.2f} – {ratios.max():.2f}"]
        cells = [str(t_interval(mine["fid"]))] if protocol == "digits" else quality
        cells += [row[name] for name in ("largest secant", "proven bound", "ratio", "critic's proven bound", "verdict")]
        assert f"| `{row['method']}` | {' | '.join(cells)} |" in MEASURED


def test_the_page_of_pictures_says_what_the_reference_runs_say() -> None:
    runs = pd.read_csv(ROOT / "results" / "reference" / "modes" / "runs.csv").set_index(["method", "dataset"])
    assert {name.partition("[")[0] for name, _ in runs.index} == set(registry.installed(METHOD))
    for method in runs.index.unique("method"):
        ring, grid = (runs.loc[method, data] for data in ("ring", "grid"))
        cells = [f"`{method}`"]
        for run in (ring, grid):
            cells += [f"{run['modes_covered']:.0f}", f"{run['high_quality']:.2f}", f"{run['modes_kl']:.2f}"]
            cells += [f"{run['sample_w1']:.3f}"]
        assert f"| {' | '.join(cells)} |" in PICTURES


def row(name: str) -> list[str]:
    """The cells of a plugin in the page of methods and losses."""
    (line,) = [line for line in METHODS.splitlines() if line.startswith(f"| `{name}` |")]
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in (METHOD, LOSS) for name in registry.installed(kind)]
)
def test_the_page_of_methods_and_losses_says_what_the_classes_say(kind: Kind, name: str) -> None:
    found, cells = registry.find(kind, Name(name)), row(name)
    given = [
        f"`{each}={default}`" for each, (_, default) in parameters(registry.load(found)).items() if each != "every"
    ]
    assert sorted(cells[-2 if kind is LOSS else 2].split(", ")) == sorted(given or ["–"])
    assert kind is LOSS or cells[3] == registry.load(found).guarantee
    (paper,) = re.findall(r"arXiv:(\S+)", found.card.fields["paper"])
    assert cells[-1].startswith(f"[{paper}](https://arxiv.org/abs/{paper})")


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target
