"""The command line: what it prints, its exit codes, and that a user's mistake never shows a traceback."""

import json
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from lipbench.api.running import read_request
from lipbench.cli import main
from lipbench.launch.sweep import Sweep
from lipbench.screen import runs
from tests.conftest import TINY, MakeRun
from tests.tools.merging import put


def call(*words: str) -> Result:
    result = CliRunner().invoke(main, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize(
    "words",
    [["--help"], ["run", "--help"], ["methods"], ["datasets"], ["status"], ["report"], ["show", "gn"], ["merge"]],
)
def test_answers_that_need_no_torch_do_not_import_it(words: list[str], make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn", finished=True)
    where = ["--results", str(tmp_path / "results")] if words[0] in ("status", "report", "show") else []
    if words[0] == "merge":
        where = [str(tmp_path / "results"), "--into", str(tmp_path / "all")]
    code = (
        "import sys; from lipbench.cli import main\n"
        f"try: main({[*words, *where]!r}, standalone_mode=False)\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'torchvision', 'sklearn'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_nothing_that_is_slow() -> None:
    code = (
        "import sys; from lipbench.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "slow = {'torch', 'numpy', 'pandas', 'pydantic', 'rich', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def test_methods_are_described_with_formula_paper_guarantee_and_parameters() -> None:
    text = call("methods").output
    for part in ("gp", "E(‖∇f(x̂)‖ − 1)²", "arXiv:1704.00028", "guarantee: soft", "weight: float = 10.0"):
        assert part in text


def test_data_sets_are_described_with_their_source() -> None:
    assert "UCI" in call("datasets").output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--methods", "gm"], "unknown method 'gm'"),
        (["--methods", "gp[weigth=1]"], "Did you mean 'weight'"),
        (["--methods", "gp[weight=abc]"], "expected a finite number, such as 10.0"),
        (["--methods", "gp[weight=1"], "a bracket without its partner"),
        (["--methods", "gn+gn"], "names gn twice"),
        (["--methods", "./nowhere.py"], "there is no file"),
        (["--methods", "gn", "--datasets", "digit"], "Did you mean 'digits'"),
        (["--methods", "gn", "--protocol", "digts"], "Did you mean 'digits'"),
        (["--methods", "gn", "--protocol", "nowhere.toml"], "there is no protocol file"),
        (["--methods", "gn", "--set", "train.step=5"], "Did you mean 'train.steps'"),
        (["--methods", "gn", "--set", "train.steps"], "expected the form train.batch_size=64"),
        (["--methods", "gn", "--set", "train.steps=-5"], "setting train.steps is -5; expected greater than 0"),
        (["--methods", "gn", "--steps", "-5"], "-5 is not in the range x>=1"),
        (["--methods", "gn", "--seeds", "4-0"], "expected the form 0-4"),
        (["--methods", "gn", "--jobs", "0"], "0 is not in the range x>=1"),
        (["--methods", "gn", "--timeout", "-1"], "timeout is -1.0; expected seconds above 0"),
        (["--methods", "gn", "--settings", "best"], "'best' is not one of"),
        ([], "Missing option '--methods'"),
    ],
)
def test_a_wrong_request_ends_with_code_2_and_starts_nothing(tmp_path: Path, words: list[str], expected: str) -> None:
    result = call("run", "--results", str(tmp_path / "results"), *words)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("command", [["report"], ["status"], ["show", "gn"]])
def test_asking_about_results_that_do_not_exist_ends_with_code_2(tmp_path: Path, command: list[str]) -> None:
    result = call(*command, "--results", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "there are no runs in" in result.stderr


def test_a_dry_run_lists_the_runs_and_starts_nothing(tmp_path: Path) -> None:
    result = call(
        "run", "--methods", "gn,gp[weight=1]", "--seeds", "0-1", "--dry-run", "--results", str(tmp_path / "r")
    )
    assert result.exit_code == 0
    assert result.output.count(" new") == 4
    assert "nothing was started" in result.output
    assert re.search(r"about \d+ .*2 runs at a time, and \d+ MiB of disk|about \d+ .*1 run at a time", result.output)
    assert not (tmp_path / "r").exists()


def test_a_dry_run_makes_the_checks_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("def make(latent_dim): ...\n")
    words = ["--methods", "gn", "--dry-run", "--results", str(tmp_path / "r")]
    result = call("run", *words, "--set", f"architecture={tmp_path / 'nets.py'}:make")
    assert result.exit_code == 2
    assert "expected (image_shape, latent_dim)" in result.stderr
    (tmp_path / "file").touch()
    result = call("run", *words[:-1], str(tmp_path / "file" / "r"))
    assert result.exit_code == 2
    assert "is a file; choose another with --results" in result.stderr


def test_a_dry_run_checks_what_would_be_started_over(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gn")
    folder.write_json("result.json", {"status": "diverged", "step": 3, "diverged_at": 3})
    settings = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    words = ["run", "--methods", "gn", "--seeds", "0", *settings, "--dry-run", "--results", str(tmp_path / "results")]
    assert "about" not in call(*words).output
    assert "about" in call(*words, "--retry-failed").output
    assert str(folder.status()) == "diverged"


def test_a_smoke_run_has_one_seed_and_twenty_steps(tmp_path: Path) -> None:
    result = call("run", "--methods", "wc", "--quick", "--dry-run", "--results", str(tmp_path / "r"))
    assert "1 run;" in result.output or "1 run," in result.output
    assert " 20 " in result.output


def test_status_counts_runs_and_says_why_one_failed(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn", finished=True)
    make_run("sn").record_failure("error", "no luck")
    result = call("status", "--results", str(tmp_path / "results"))
    assert "failed: sn-digits-s0-" in result.output
    assert "no luck (error, attempt 1)" in result.output


def test_status_names_a_damaged_folder_and_shows_the_others(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("gn", finished=True)
    make_run("sn").file("cell.json").write_text("{")
    result = call("status", "--results", str(tmp_path / "results"))
    assert result.exit_code == 0
    assert "cell.json' was changed" in result.output
    assert "gn" in result.output


def test_show_gives_everything_about_one_run(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("gp", finished=True)
    folder.record_failure("error", "an old story", "Some traceback of it")
    with folder.file("trace.jsonl").open("a") as file:
        file.write("{torn")
    text = call("show", "gp", "--results", str(tmp_path / "results")).output
    for part in (
        "train.steps",
        "digits-cnn@",
        "an old story",
        "Some traceback",
        "trace.jsonl is not what the run has written",
    ):
        assert part in text


def test_the_version_is_that_of_the_package() -> None:
    from lipbench import __version__

    assert __version__ in call("--version").output


def test_results_are_json_that_any_tool_reads(make_run: MakeRun) -> None:
    folder = make_run("gn", finished=True)
    json.loads(folder.file("result.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "command",
    [[], *([name] for name in ("run", "report", "prepare", "evaluate", "protocols", "status", "show", "merge"))],
)
def test_help_keeps_examples_on_lines_of_their_own_and_shows_no_marks(command: list[str]) -> None:
    text = call(*command, "--help").output
    assert "\\b" not in text
    assert "\b" not in text
    assert "..." not in text.partition("Commands:")[2]  # nothing in the list is cut short


def test_protocols_are_listed_and_each_is_printed_as_a_file_that_runs(tmp_path: Path) -> None:
    listed = call("protocols").output
    for name in ("digits", "cifar10-cnn", "cifar10-resnet", "stl10-cnn", "stl10-resnet", "fashion-cnn", "cifar10-small",
                 "fashion-small", "stacked-digits"):  # fmt: skip
        assert f"{name}\n" in listed
        path = tmp_path / "mine.toml"
        path.write_text(call("protocols", name).output)
        read_request("gn", protocol=path.as_posix())


def test_an_unknown_protocol_is_refused_with_the_nearest_one() -> None:
    result = call("protocols", "cifar10cnn")
    assert result.exit_code == 2
    assert "Did you mean 'cifar10-cnn'?" in result.output


def test_a_table_of_runs_is_added_and_a_bad_one_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    where = ["report", "--results", str(tmp_path / "results"), "--add", str(path)]
    path.write_text("method,dataset,seed,protocol,fid\nmine,d,0,p,2\nother,d,0,p,3\n")
    done = call(*where)
    assert done.exit_code == 0
    assert (tmp_path / "results" / "report" / "index.html").exists()
    assert "2 runs are added; 2 of them are compared without pairs" in " ".join(done.output.split())
    path.write_text("method,dataset,seed,protocol,fid\nmine,d,0,p,two\n")
    refused = call(*where)
    assert refused.exit_code == 2
    assert "line 2: fid is 'two', expected a number" in refused.output


@pytest.mark.parametrize(
    "option", ["--methods", "--datasets", "--seeds", "--protocol", "--set", "--results", "--device"]
)
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_text_is_refused_and_not_taken_for_the_default(tmp_path: Path, option: str, empty: str) -> None:
    for words in ([option, empty], [f"{option}={empty}"]):
        result = call("run", "--methods", "gn", "--dry-run", *words)
        assert result.exit_code == 2
        assert f"{option} is given {empty!r}; expected a text that is not empty" in result.stderr


@pytest.mark.parametrize("words", [["show", ""], ["evaluate", ""], ["report", "--add", ""], ["cost", "--methods="]])
def test_no_command_takes_an_empty_text(words: list[str]) -> None:
    result = call(*words)
    assert (result.exit_code, "expected a text that is not empty" in result.stderr) == (2, True)


def test_of_a_setting_given_twice_the_last_holds_and_an_option_of_its_own_before_all(tmp_path: Path) -> None:
    words = ["run", "--methods", "gn", "--dry-run", "--results", str(tmp_path), "--steps", "77"]
    assert " 77 " in call(*words, "--set", "train.steps=55").output
    assert " 66 " in call(*words[:-2], "--set", "train.steps=55", "--set", "train.steps=66").output


@pytest.mark.parametrize("text", ["folder[/tmp/x]", "folder[path=/nowhere/[x],size=8]", "[/red]"])
def test_brackets_in_what_is_asked_are_shown_as_they_are(text: str) -> None:
    result = call("evaluate", text, "--against", "digits")
    assert result.exit_code == 2
    assert f"scoring {text} …" in result.stdout
    assert repr(text) in result.stderr


def test_the_plan_shows_data_sets_as_they_are_named(tmp_path: Path) -> None:
    text = 'folder[path="a,b",size=8]'
    shown = {}
    for width in (200, 40):
        console = Console(file=StringIO(), width=width)
        runs.show_plan(console, Sweep(tmp_path, read_request("gn", datasets=text, seeds="0").planned))
        shown[width] = console.file.getvalue()
    assert text in shown[200]
    assert "…" not in shown[40]  # on several lines where it must be, and never cut short


def test_a_protocol_is_printed_as_utf_8_in_any_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    from lipbench.request import protocol

    result = CliRunner(charset="latin-1").invoke(main, ["protocols", "digits"])
    assert result.stdout_bytes.decode("utf-8") == protocol.text("digits")


def test_the_next_command_is_quoted(tmp_path: Path) -> None:
    from lipbench import terminal
    from lipbench.launch.outcome import Summary
    from lipbench.screen import runs

    console = terminal.console()
    with console.capture() as captured:
        runs.show_summary(console, Summary(), tmp_path / "my results; rm -r")
    assert f"Next: lipbench report --results '{tmp_path}/my results; rm -r'" in captured.get()


def test_merging_says_what_came_in_what_was_left_out_and_what_comes_next(tmp_path: Path) -> None:
    into = tmp_path / "our results"
    folder, damaged = put(tmp_path / "a"), put(tmp_path / "a", seed=1)
    words = ["merge", str(tmp_path / "a"), "--into", str(into)]
    dry = call(*words, "--dry-run")
    assert (dry.exit_code, into.exists()) == (0, False)
    assert f"would be merged into {into}: 2 copied\nNothing was copied (--dry-run)" in dry.stdout
    damaged.file("result.json").write_text("{")
    done = call(*words)
    assert done.exit_code == 1
    assert f"left out: {damaged.path}: {str(damaged.file('result.json'))!r} is damaged" in done.stdout
    assert f"merged into {into}: 1 copied, 1 left out\nNext: lipbench report --results '{into}'" in done.stdout
    put(tmp_path / "b", fid=3.0)
    refused = call("merge", str(tmp_path / "b"), "--into", str(into))
    assert refused.exit_code == 2
    for part in (into / "runs" / folder.id, tmp_path / "b" / "runs" / folder.id):
        assert str(part) in refused.stderr
    assert call("merge", str(tmp_path / "a")).exit_code == 2  # --into is not left to chance
