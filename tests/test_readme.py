"""What the README says is what happens."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from lipbench.api.launching import make_launcher
from lipbench.api.running import read_request
from lipbench.cli import main
from lipbench.disk.store import Status
from lipbench.request import protocol
from tests.builtin import networks
from tests.conftest import MakeRun
from tests.test_docs import PLUGINS, examples

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def example() -> tuple[str, str]:
    found = re.search(r"<!-- example: (\S+) -->\n```python\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1], found[2]


@pytest.mark.parametrize("methods", ["{}", "{}[weight=1,every=2]", "sn+{}"])
def test_the_plugin_example_runs_as_it_stands(make_run: MakeRun, tmp_path: Path, methods: str) -> None:
    name, text = example()
    path = tmp_path / name
    path.write_text(text)
    folder = make_run(methods.format(path), finished=True)
    assert folder.status() is Status.DONE, folder.read_json("error.json")


def test_its_penalty_is_that_of_its_formula(tmp_path: Path) -> None:
    import torch

    space: dict[str, type] = {}
    exec(example()[1], space)
    method = space["MaxPenalty"]()  # type: ignore[call-arg]  # made by exec
    assert method.penalty(torch.zeros(2), torch.tensor([0.5, 3.0])) == 90.0


def test_every_command_line_of_the_readme_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, text = example()
    (tmp_path / name).write_text(text)
    (tmp_path / "nets.py").write_text("def make(image_shape, latent_dim): ...\n")
    (tmp_path / "sharpness.py").write_text(examples(PLUGINS)["sharpness.py"])
    monkeypatch.chdir(tmp_path)
    lines = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    commands = [part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("lipbench run")]
    assert len(commands) == 12
    for command in commands:
        context = main.commands["run"].make_context("run", shlex.split(command)[2:])
        make_launcher(context.params["on"])
        names = ("methods", "datasets", "protocol", "quick", "settings", "steps", "measures")
        given = {name: context.params[name] for name in names if context.params[name] is not None}
        overrides = context.params["overrides"]
        assert read_request(**given, seeds=context.params["seeds"] or "0-4", overrides=overrides).planned


POINTS = {"modes": (2, 1, 1), "dirac": (1, 1, 1)}


@pytest.mark.parametrize("name", [name for name in protocol.named() if name != "w1"])
def test_the_table_of_protocols_says_what_they_are(name: str) -> None:
    settings = protocol.check(protocol.read(name), {})
    assert settings.trains != "critic"
    if name in POINTS:
        shape = POINTS[name]
    else:
        side = int(settings.architecture.partition("[")[0].rpartition("-")[2])
        grey = settings.datasets in ("digits", "fashion-mnist")
        shape = (1 if grey else 3, side, side)
    pair = networks(settings.architecture, shape, settings.train.latent_dim)
    counts = " / ".join(f"{sum(weight.numel() for weight in net.parameters()):,}" for net in pair)
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    train = settings.train
    assert all(f"`{data}`" in row for data in settings.datasets.split(","))
    assert f"| `{settings.architecture}` | {counts} | {train.critic_steps} |" in row
    assert f"| {train.batch_size}/{train.generator_batch_size} |" in row


def test_the_table_of_protocols_says_what_w1_is() -> None:
    settings = protocol.check(protocol.read("w1"), {})
    _, critic = networks(settings.architecture, (2, 1, 1), 2)
    count = sum(weight.numel() for weight in critic.parameters())
    assert (
        f"| `{settings.architecture}` | – / {count:,} in 2 dimensions | 1 | {settings.train.batch_size}/– |" in README
    )


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_tests_line_of_the_readme_is_what_the_ci_runs() -> None:
    (line,) = [line for line in README.splitlines() if "bin/tox" in line]
    assert line in (ROOT / ".ci" / "run").read_text()


def test_its_table_is_that_of_the_reference_results() -> None:
    import pandas as pd

    from lipbench.reports.statistics.intervals import for_people

    shown = for_people(pd.read_csv(ROOT / "results" / "reference" / "digits" / "summary.csv"))
    for row in shown.to_dict("records"):
        cells = [row[name] for name in ("FID", "KID", "Inception Score", "‖∇score‖ max", "‖∇critic‖ max", "ms/step")]
        assert f"| `{row['method']}` | {' | '.join(cells)} |" in README


@pytest.mark.parametrize("folder", ["cifar10", "cifar10-small"])
def test_its_tables_of_real_pictures_are_those_of_the_reference_results(folder: str) -> None:
    import pandas as pd

    from lipbench.reports.statistics.intervals import for_people

    shown = for_people(pd.read_csv(ROOT / "results" / "reference" / folder / "summary.csv"))
    for row in shown.to_dict("records"):
        cells = [row[name] for name in ("FID", "KID", "‖∇score‖ max", "largest secant", "ms/step")]
        assert f"| `{row['method']}` | {' | '.join(cells)} |" in README


def test_its_table_of_differences_is_that_of_the_reference_results() -> None:
    import pandas as pd

    compared = pd.read_csv(ROOT / "results" / "reference" / "digits" / "against-gp.csv", dtype=str)
    for row in compared.to_dict("records"):
        cells = [row[name] for name in ("FID − gp's", "p (Holm)", "verdict")]
        assert f"| `{row['method']}` | {' | '.join(cells)} |" in README


def test_its_table_at_equal_cost_is_that_of_the_reference_results() -> None:
    import pandas as pd

    compared = pd.read_csv(ROOT / "results" / "reference" / "digits" / "equal-cost.csv", dtype=str)
    for row in compared.drop(columns=["n", "diverged"]).itertuples(index=False):
        assert f"| `{row[0]}` | {' | '.join(row[1:])} |" in README


def test_what_it_says_over_all_pairs_is_what_the_report_says_of_the_reference_runs(tmp_path: Path) -> None:
    import pandas as pd

    from lipbench.api import running

    (line,) = [line for line in README.splitlines() if line.startswith("lipbench report --add")]
    reference = ROOT / line.split()[3]
    (over,) = running.report(tmp_path, tmp_path / "out", baseline="gp", add=reference).across
    pd.testing.assert_frame_equal(over.overview, pd.read_csv(reference.with_name("over-datasets.csv"), dtype=str))
    assert over.overview["method"].iloc[0] == "lp"
    difference = float(over.facts.caption.split("differ by more than ")[1].split()[0])
    ranks = over.overview.set_index("method")["mean rank"].astype(float)
    untold = {str(method) for method in ranks.index[ranks - ranks["lp"] <= difference]}
    assert untold == {"lp", "gp", "ortho", "gn", "gn_tau"}


def test_its_table_of_runs_from_elsewhere_can_be_added(tmp_path: Path) -> None:
    from lipbench.api import running

    (table,) = re.findall(r"```\n(method,dataset.*?)```", README, re.DOTALL)
    (tmp_path / "runs.csv").write_text(table)
    (section,) = running.report(tmp_path, tmp_path / "out", add=tmp_path / "runs.csv").sections
    assert list(section.summary["method"]) == ["mine", "theirs"]


def test_its_table_of_known_distances_is_that_of_the_reference_results() -> None:
    import pandas as pd

    from lipbench.reports import promised
    from lipbench.reports.reading.columns import NAMES

    runs = pd.read_csv(ROOT / "results" / "reference" / "w1" / "runs.csv")
    assert runs["status"].eq("done").all()
    ratios = runs.assign(ratio=runs["w1_estimate"] / runs["w1_true"]).groupby("method")["ratio"]
    measured = promised.table(runs.reindex(columns=NAMES))
    assert measured is not None
    for row in measured.to_dict("records"):
        method = row["method"]
        cells = [
            f"{runs.loc[runs['method'] == method, 'cos'].mean():.2f}",
            f"{ratios.min()[method]:.2f} – {ratios.max()[method]:.2f}",
            *(row[name] for name in ("‖∇score‖ max", "secant at 1", "secant at 0.001", "verdict")),
        ]
        assert f"| `{method}` | {' | '.join(cells)} |" in README


def test_its_table_of_the_published_length_is_that_of_the_reference_results() -> None:
    import pandas as pd

    from lipbench.reports.published import reported

    theirs = reported("w1").set_index(["pair", "label"])
    runs = pd.read_csv(ROOT / "results" / "reference" / "w1" / "runs-60000.csv")
    for run in runs.to_dict("records"):
        published = f"{theirs['cos'][run['pair'], 'wgan-gp']:.3f}" if run["method"] == "gp" else "–"
        cells = [f"{run['cos']:.3f}", published]
        cells += [f"{run[name]:.3g}" for name in ("l2", "w1_estimate", "w1_true", "grad_norm_max", "secant_0.001")]
        dim = 16 if "dim=16" in run["dataset"] else 2
        assert f"| {dim} | `{run['method']}` | {' | '.join(cells)} |" in README


def test_its_table_of_costs_is_that_of_the_reference_results() -> None:
    records = json.loads((ROOT / "results" / "reference" / "cost" / "cnn-32.json").read_text())
    rows: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for record in records:
        rows.setdefault((record["method"], record["engine"]), {})[record["part"]] = record
    for (method, engine), parts in rows.items():
        critic, generator, iteration = (parts[part] for part in ("critic", "generator", "iteration"))
        cells = [
            f"{part[key]:.2f}"
            for part, key in (
                (critic, "ratio_to_none"),
                (critic, "forward_equivalents"),
                (generator, "ratio_to_none"),
                (generator, "forward_equivalents"),
                (iteration, "ratio_to_none"),
            )
        ]
        assert f"| `{method}` | {engine} | {' | '.join(cells)} |" in README
    plain = rows["none", "plain"]
    assert f"{1e3 * plain['critic']['seconds']:.0f} ms a critic step" in README
    assert f"{1e3 * plain['iteration']['seconds']:.0f} ms an iteration" in README
