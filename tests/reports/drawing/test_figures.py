"""The figures: what is drawn, and that it is the data."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from lipbench.reports.drawing import figures, style
from lipbench.reports.promised import SECANTS

# What is known of runs on points alone.
UNKNOWN = ("sample_w1", "modes_covered", "high_quality", "modes_kl", "theta", "psi", "dynamics")


def data(scale: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    fids = {("gn", 0): 5.0, ("gn", 1): 6.0, ("wc", 0): 20.0 * scale, ("wc", 1): 20.0 * scale + 1}
    runs = pd.DataFrame([{"method": method, "seed": seed, "fid": fid} for (method, seed), fid in fids.items()])
    runs = runs.assign(status="done", seconds_per_step=0.01, peak_memory_bytes=2**29, cos=float("nan"), device="cpu",
                       fid_real=4.8, seconds_train=2.0, steps=200, grad_norm_max=0.9, raw_grad_norm_max=2.0,
                       run_id=runs["method"] + "-" + runs["seed"].astype(str))  # fmt: skip
    runs = runs.assign(**dict.fromkeys(SECANTS, 1.5), fid_curve=float("nan"))
    traces = pd.concat(
        runs.assign(step=step, seconds_train=step * runs["seconds_per_step"], grad_norm_max=0.9, raw_grad_norm_max=2.0)
        for step in (100, 200)
    )
    return runs.reindex(columns=[*runs, *UNKNOWN]), traces.reindex(columns=[*traces, *UNKNOWN])


def test_lines_show_the_means_over_seeds_and_bands_reach_from_lowest_to_highest() -> None:
    runs, traces = data()
    figure, text, _ = figures.draw(runs, traces)["fid-steps"]
    (axes,) = figure.axes
    assert axes.lines[0].get_ydata() == pytest.approx([5.5, 5.5])
    band = axes.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == (5, 6)
    assert text.endswith("at the end: gn 5.5, wc 20.5.")


def test_runs_that_did_not_finish_are_thin_lines_of_their_own_and_in_no_mean() -> None:
    runs, traces = data()
    runs["status"] = ["done", "diverged", "done", "interrupted"]
    runs.loc[[1, 3], "fid"] = float("nan")
    traces = traces[(traces["run_id"] != "gn-1") | (traces["step"] == 100)]
    drawn = figures.draw(runs, traces)
    figure, text, numbers = drawn["fid-steps"]
    (axes,) = figure.axes
    lines = {(line.get_linewidth() < 1, tuple(line.get_xdata()), tuple(line.get_ydata())) for line in axes.lines}
    assert lines == {
        (False, (100, 200), (5, 5)), (False, (100, 200), (20, 20)), (True, (100,), (6,)), (True, (100, 200), (21, 21))
    }  # fmt: skip
    assert "at the end: gn 5.00, wc 20.0. Thin lines are single runs that diverged" in text
    assert set(numbers["run_id"]) == {"", "gn-1", "wc-1"}
    assert numbers.loc[numbers["run_id"] == "gn-1", ["x", "mean", "n"]].to_numpy().tolist() == [[100, 6, 1]]
    for name, drawing in drawn.items():
        assert "Runs that are in no mean, diverged: gn 1; not finished: wc 1." in drawing.text, name


def test_before_a_run_has_finished_its_curve_is_drawn_and_named() -> None:
    runs, traces = data()
    runs = runs.assign(status="running", fid=float("nan"), **dict.fromkeys(SECANTS, float("nan")))
    drawn = figures.draw(runs, traces)
    assert list(drawn) == ["fid-steps", "fid-seconds", "gradient-norms"]
    (legend,) = drawn["fid-steps"].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["gn", "wc"]
    assert "at the end" not in drawn["fid-steps"].text


def test_a_run_without_a_curve_is_in_the_mean_at_the_end_and_said_not_to_be_in_the_line() -> None:
    runs, traces = data()
    text = figures.draw(runs, traces[traces["run_id"] != "gn-1"])["fid-steps"].text
    assert "at the end: gn 5.5 (1 of 2 runs have a curve), wc 20.5." in text


def test_a_fid_that_is_known_at_the_end_alone_has_no_curve_and_that_of_the_curve_extractor_names_it() -> None:
    runs, traces = data()
    traces["fid_curve"] = 9 * traces["fid"]
    traces.loc[traces["step"] == 100, "fid"] = None
    runs = runs.assign(fid_curve=9 * runs["fid"], curve_extractor="my[path=a@b]@0123")
    drawn = figures.draw(runs, traces)
    assert not {"fid-steps", "fid-seconds"} & drawn.keys()
    assert {"fid_curve-steps", "fid_curve-seconds", "fid-final"} <= drawn.keys()
    (axes,) = drawn["fid_curve-steps"].figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("generator steps", "curve FID by my[path=a@b]")
    assert drawn["fid_curve-steps"].text.startswith("curve FID by my[path=a@b] against generator steps, ")
    assert axes.lines[0].get_ydata() == pytest.approx([49.5, 49.5])


def test_nothing_is_drawn_against_the_seconds_of_different_devices() -> None:
    runs, traces = data()
    runs["device"] = ["NVIDIA A100", "NVIDIA H100", "NVIDIA A100", "NVIDIA A100"]
    assert list(figures.draw(runs, traces)) == ["fid-steps", "gradient-norms", "secants", "fid-final"]


@pytest.mark.parametrize(("device", "panels"), [("cpu AMD EPYC", 1), ("NVIDIA A100", 2)])
def test_memory_has_a_frontier_where_it_is_that_of_a_gpu(device: str, panels: int) -> None:
    runs, traces = data()
    drawn = figures.draw(runs.assign(device=device), traces)
    assert len(drawn["frontier"].figure.axes) == panels
    labels = [axes.get_xlabel() for axes in drawn["cost"].figure.axes]
    assert ("peak memory of the whole process, MiB" in labels) == (panels == 1)


def test_real_pictures_of_other_counts_are_no_line_beside_the_methods() -> None:
    for name in ("fid-steps", "fid-seconds", "fid-final"):
        figure, _, _ = figures.draw(*data())[name]
        assert not any(line.get_linestyle() == ":" for line in figure.axes[0].lines), name


def test_gradient_norms_are_drawn_with_the_bound_1() -> None:
    figure, _, _ = figures.draw(*data())["gradient-norms"]
    assert len(figure.axes) == 2
    for axes in figure.axes:
        assert any(list(line.get_ydata()) == [1, 1] and line.get_linestyle() == "--" for line in axes.lines)


def test_the_final_figure_has_a_point_for_every_seed() -> None:
    figure, text, _ = figures.draw(*data())["fid-final"]
    (axes,) = figure.axes
    points = sorted(float(x) for collection in axes.collections for x, _ in collection.get_offsets())
    assert points == [5, 6, 20, 21]
    assert text.endswith("gn 5.5, wc 20.5.")
    assert axes.get_xscale() == "linear"


def test_results_far_apart_are_drawn_on_a_logarithm() -> None:
    figure, _, _ = figures.draw(*data(scale=100.0))["fid-final"]
    assert figure.axes[0].get_xscale() == "log"


def test_nothing_is_drawn_of_nothing() -> None:
    runs, traces = data()
    assert figures.draw(runs.iloc[:0], traces.iloc[:0]) == {}


def test_secants_are_drawn_from_the_longest_to_the_shortest_distance_with_the_bound_1() -> None:
    runs, traces = data()
    runs["secant_0.001"] = [300.0, 500.0, 1.5, 1.5]
    figure, text, _ = figures.draw(runs, traces)["secants"]
    (axes,) = figure.axes
    line = axes.lines[0]
    assert sorted(zip(line.get_xdata(), line.get_ydata(), strict=True)) == [
        (0.001, 400),
        (0.01, 1.5),
        (0.1, 1.5),
        (1, 1.5),
    ]
    assert axes.xaxis_inverted()
    assert any(list(other.get_ydata()) == [1, 1] for other in axes.lines)
    assert text.endswith("The largest of any run at a distance of 0.001: gn 500, wc 1.5.")


def test_runs_against_a_known_distance_are_drawn_by_their_cosine() -> None:
    runs, traces = data()
    runs = runs.assign(fid=float("nan"), cos=[0.5, 0.6, 0.7, 0.8])
    traces = traces.assign(fid=float("nan"), cos=[0.5, 0.6, 0.7, 0.8] * 2)
    drawn = figures.draw(runs, traces)
    assert list(drawn) == ["cos-steps", "gradient-norms", "secants", "cost", "frontier"]
    assert drawn["cos-steps"][0].axes[0].lines[0].get_ydata() == pytest.approx([0.55, 0.55])


def test_the_points_of_seeds_are_where_they_were_the_last_time() -> None:
    once, again = (figures.draw(*data())["fid-final"][0].axes[0].collections for _ in range(2))
    for first, second in zip(once, again, strict=True):
        assert (first.get_offsets() == second.get_offsets()).all()


def test_twenty_methods_are_all_named_below_the_lines_and_cover_nothing() -> None:
    runs, traces = (
        pd.concat(
            [
                part.assign(method=f"./my_50%_gp[weight={number}.0]", run_id=part["run_id"] + f"-{number}")
                for number in range(20)
            ]
        )
        for part in data()
    )
    for key in ("fid-steps", "gradient-norms"):
        figure, _, _ = figures.draw(runs, traces)[key]
        (legend,) = figure.legends
        assert len({text.get_text() for text in legend.get_texts()}) == 20
        seen = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in legend.get_lines()}
        assert len(seen) == 20
        with style.style():
            ConstrainedLayoutEngine().execute(figure)
            box = legend.get_window_extent()
        assert box.y1 < min(axes.get_tightbbox().y0 for axes in figure.axes)
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width


@pytest.mark.parametrize("name", ["_private", "a$b$c", "模型", "x_{", "\N{PILE OF POO}[a=1]"])
def test_whatever_the_name_of_a_method_it_is_drawn_and_written(name: str, tmp_path: Path) -> None:
    runs, traces = (part.replace("gn", name) for part in data())
    for key, (figure, _, _) in figures.draw(runs, traces).items():
        style.write(figure, tmp_path / key)
        for text in [text for legend in figure.legends for text in legend.get_texts()]:
            assert text.get_text() in (style.drawable(name), "wc")


def test_characters_without_a_glyph_stay_apart() -> None:
    assert style.drawable("模gp_ä") == r"\u6a21gp_ä"


def test_a_figure_is_written_in_three_formats_without_dates_and_with_text_as_text(tmp_path: Path) -> None:
    figure, _, _ = figures.draw(*data())["fid-steps"]
    style.write(figure, tmp_path / "gp[weight=1.0]")
    png, svg, pdf = ((tmp_path / f"gp[weight=1.0].{ending}").read_bytes() for ending in ("png", "svg", "pdf"))
    assert png.startswith(b"\x89PNG")
    assert b">generator steps</text>" in svg
    assert b"dc:date" not in svg
    assert b"/CIDFontType2" in pdf  # that of a TrueType font
    assert b"Date" not in pdf


def test_of_a_cost_that_is_not_known_nothing_is_drawn(tmp_path: Path) -> None:
    runs, traces = data()
    unknown = runs.assign(peak_memory_bytes=pd.array([None] * 4, dtype="Int64"), seconds_per_step=float("nan"))
    assert not {"cost", "frontier"} & figures.draw(unknown.assign(seconds_train=float("nan")), traces).keys()
    style.write(figures.draw(unknown.assign(seconds_per_step=0.1), traces)["cost"].figure, tmp_path / "cost")


@pytest.mark.parametrize("size", [(6, 9), (1, 1), (7, 7)])
def test_sample_grids_are_drawn_in_their_own_pixels(size: tuple[int, int], tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    picture.resize((picture.width * 5, picture.height * 5), Image.Resampling.NEAREST).save(tmp_path / "samples.png")
    figure = figures.samples(
        [{"method": f"gp[{number}]", "seed": 0, "step": 1, "path": tmp_path / "samples.png"} for number in range(7)]
    ).figure
    drawn = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(drawn) == 7
    assert (drawn[0] == noise).all()


def test_drawing_leaves_the_global_style_alone() -> None:
    before = dict(mpl.rcParams)
    figures.draw(*data())
    assert dict(mpl.rcParams) == before
