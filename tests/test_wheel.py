"""The wheel holds everything that a user needs."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_a_user_with_the_wheel_alone_runs_and_reports_from_an_empty_folder(tmp_path: Path) -> None:
    def call(*words: str) -> str:
        done = subprocess.run(words, cwd=empty, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    empty = tmp_path / "empty"
    empty.mkdir()
    call(sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT))
    (wheel,) = tmp_path.glob("lipbench-*.whl")
    # torch and the rest come from the environment of the tests; lipbench itself only from the wheel.
    call(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    python = tmp_path / "venv" / "bin" / "python"
    call(str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel))
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "rest.pth").write_text(f"{Path(pytest.__file__).parent.parent}\n")
    lipbench = str(tmp_path / "venv" / "bin" / "lipbench")
    where = call(str(python), "-P", "-c", "import lipbench; print(lipbench.__file__)")
    assert str(site) in where
    assert "1 done" in call(lipbench, "run", "--methods", "gp", "--quick")
    assert call(lipbench, "report").strip().endswith("results/report/index.html")
    assert "E(‖∇f(x̂)‖ − 1)²" in call(lipbench, "methods")
