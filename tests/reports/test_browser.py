"""The page in a real browser: nothing fails, sorting and filtering work."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lipbench.api import running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
]  # fmt: skip
# Presses the head of the column `seed` twice and filters for gn, as a reader would.
READER = """
<script>
const heads = [...document.querySelectorAll(".sortable th")];
const seed = heads.find(head => head.textContent === "seed");
const column = heads.indexOf(seed);
const rows = () => [...document.querySelectorAll(".sortable tbody tr")].filter(row => !row.hidden);
const seeds = () => rows().map(row => row.cells[column].textContent).join("");
const told = [seeds()];
seed.click(); told.push(seeds());
seed.click(); told.push(seeds());
const filter = document.querySelector(".sortable input");
filter.value = "gn"; filter.dispatchEvent(new Event("input"));
told.push(rows().map(row => row.cells[0].textContent).join(" "));
told.push(document.querySelector(".sortable output").textContent);
console.log("told: " + told.join(" | "));
</script>
"""


@pytest.fixture
def page(results: Path) -> Path:
    return running.report(results, baseline="wc").page


def console(page: Path, tmp_path: Path, *options: str) -> list[str]:
    """What the page writes to its console."""
    assert CHROMIUM is not None
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *QUIET, profile, *options, "--virtual-time-budget=5000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "<h1>" in done.stdout
    return re.findall(r'CONSOLE.*?\] "(.*)", source', done.stderr)


def test_the_page_opens_without_a_word_on_the_console(page: Path, tmp_path: Path) -> None:
    assert console(page, tmp_path) == []


def test_runs_are_sorted_by_a_press_on_a_head_and_filtered_by_words(page: Path, tmp_path: Path) -> None:
    copy = tmp_path / "read.html"
    copy.write_text(page.read_text().replace("</body>", READER + "</body>"))
    assert console(copy, tmp_path) == ["told: 0101 | 0011 | 1100 | gn gn | 2 of 4 runs"]


@pytest.mark.parametrize("size", ["390,844", "1300,900"])
def test_nothing_is_wider_than_the_window(page: Path, tmp_path: Path, size: str) -> None:
    copy = tmp_path / "wide.html"
    measure = "<script>console.log(document.documentElement.scrollWidth <= innerWidth)</script></body>"
    copy.write_text(page.read_text().replace("</body>", measure))
    assert console(copy, tmp_path, f"--window-size={size}") == ["true"]
