"""The page of an audit."""

from pathlib import Path
from typing import Any

import pytest

from lipbench.errors import RequestError
from lipbench.reports import audit_words, audited
from lipbench.reports.drawing.segment import draw_segment

SLOPES: dict[str, Any] = {
    "lower": 2.0,
    "upper": 3.0,
    "ratio": 1.5,
    "obstacle": None,
    "gradient_norms": {"real": {"mean": 1.0, "p95": 1.5, "max": 2.0}},
    "secants": {"1": 1.0, "0.1": 1.5, "0.01": 2.0, "0.001": 2.0},
    "tv_gap": 4e-16,
    "continuity": "continuous",
}
STEP = [0.0] * 50 + [1.0] * 51
RECORD: dict[str, Any] = {
    "subject": "<b>critic.py:make",
    "weights": "w.pt",
    "method": None,
    "shape": [1, 8, 8],
    "parameters": 1200,
    "points": "noise",
    "count": 5,
    "seed": 0,
    "layers": [{"name": "0", "operation": "linear 64→1", "estimate": 2.0, "bound": 3.0, "method": "x"}],
    "critic": SLOPES,
    "score": None,
    "segment": {
        "from": "real",
        "to": "noise",
        "at": [position / 10 for position in range(101)],
        "value": STEP,
        "near_at": [5 + position / 1000 for position in range(101)],
        "near_value": STEP,
    },
    "notes": ["A note."],
    "device": "cpu",
    "lipbench": "1",
    "torch": "2",
    "seconds": 1.0,
}


def test_the_page_says_all_of_it_and_needs_no_other_file(tmp_path: Path) -> None:
    audited.check(tmp_path / "page", tmp_path)
    text = audited.write(RECORD, tmp_path / "page").read_text()
    for word in ("from 2 (found) to 3 (proven)", "linear 64→1", "A note.", "&lt;b&gt;critic", "data:image/webp"):
        assert word in text
    assert "<b>" not in text
    assert {file.suffix for file in (tmp_path / "page" / "figures").iterdir()} == {".csv", ".png", ".svg", ".pdf"}


def test_a_critic_without_a_segment_has_a_page_without_a_figure(tmp_path: Path) -> None:
    audited.check(tmp_path, tmp_path / "results")
    assert "<img" not in audited.write(RECORD | {"segment": None}, tmp_path).read_text()


def test_the_figure_joins_no_points_so_that_a_jump_is_seen() -> None:
    drawing = draw_segment(RECORD)
    for axes in drawing.figure.axes:
        (line,) = axes.get_lines()
        assert line.get_linestyle() == "None"
        assert len(line.get_xdata()) == 101  # type: ignore[arg-type]  # an array
    assert "the largest step on the right is 1 over 0.001, a secant of 1,000" in drawing.text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "The critic has a Lipschitz constant from 2 (found) to 3 (proven)."),
        ({"upper": None}, "The critic has a Lipschitz constant of at least 2; no upper bound is proven."),
        ({"upper": None, "continuity": "jumps"}, "The critic jumps: its largest secant grows as points come together"),
    ],
)
def test_the_answer_is_a_sentence(changed: dict[str, Any], words: str) -> None:
    assert audit_words.verdict(RECORD | {"critic": SLOPES | changed}).startswith(words)


def test_the_place_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(RequestError, match="is no page of an audit; expected another folder by --page"):
        audited.check(tmp_path, tmp_path / "results")
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be made"):
        audited.check(tmp_path / "file", tmp_path / "results")
    with pytest.raises(RequestError, match="choose another by --page"):
        audited.check(tmp_path / "results" / "runs" / "x", tmp_path / "results")
