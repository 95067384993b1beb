"""What is known of a run, declared once: every column of ``runs.csv``, and all that shows, checks or ranks by it.

Files of this package beside this one are plugins: measures that a run takes where it is asked to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Literal


class View(Flag):
    """A table for people in which a column stands."""

    SUMMARY = auto()  # means of each method: on the page and as files
    TERMINAL = auto()  # the same at 80 columns
    RUNS = auto()  # the page's list of all runs
    NONE = 0


MEANS = View.SUMMARY | View.TERMINAL | View.RUNS


@dataclass(frozen=True)
class Curve:
    """How a measure is drawn over training.

    Attributes:
        seconds: whether against seconds, too, and not against steps alone.
        axis: the label of its axis; its title if empty.
        caption: what the figure shows; title and what it is drawn against if empty.
        log: whether its axis is logarithmic.
        least: at how many steps of a run it must be known: what is measured at the end alone has no curve.
        by: the column that names what it is measured by, where its title does not say it.
    """

    seconds: bool = False
    axis: str = ""
    caption: str = ""
    log: bool = False
    least: int = 1
    by: str = ""


@dataclass(frozen=True)
class Column:
    """A column of ``runs.csv``.

    Attributes:
        name: its head.
        definition: what stands in it, a sentence.
        kind: of its values; a number is finite, and a whole one has at most 64 bits.
        title: above it in tables for people; empty for what is no measure.
        unit: such as ``s``; empty for a plain number.
        scale: by which values are multiplied under the title.
        better: which values are better; empty where neither is.
        low: the least value that there is; None without one.
        high: the largest.
        slack: by how much rounding may go beyond both.
        traced: whether reports read it of every evaluation.
        curve: its figure over training; None without one of its own.
        views: the tables for people in which it stands.
        place: its place in them; those of one place stand in the order of `COLUMNS`.
    """

    name: str
    definition: str
    kind: Literal["text", "whole", "number"] = "number"
    title: str = ""
    unit: str = ""
    scale: float = 1.0
    better: Literal["lower", "higher", ""] = ""
    low: float | None = None
    high: float | None = None
    slack: float = 0.0
    traced: bool = False
    curve: Curve | None = None
    views: View = View.NONE
    place: int = 0

    @property
    def less(self) -> bool:
        """Whether less of it is better."""
        return self.better == "lower"


@dataclass(frozen=True)
class Deciding(Column):
    """A measure by which methods are ranked: the first of which anything is known decides.

    Attributes:
        untrained: what a method that has learnt nothing has: a number, or the column that holds it.
        nothing: what that is, in words.
        real: the column of what real pictures have; empty where the measure is its own score.
        score: how values on several data sets become scores of one unit, a sentence.
        followed: the column of another measure by which quality is read before the end, in runs that have it: they have
            this one at the end alone.
    """

    untrained: float | str = 0.0
    nothing: str = ""
    real: str = ""
    score: str = ""
    followed: str = ""

    @property
    def anchors(self) -> list[str]:
        """The columns of what real pictures and a method that has learnt nothing have."""
        return [name for name in (self.real, self.untrained) if isinstance(name, str) and name]


QUALITY, TRUTH, SLOPES, GRADIENTS, STEP, TRAINING, PLUGINS, LAST = range(8)  # places
NORM = "norm of the gradient of the {} at held-out real, generated and interpolated points"
SECANT = "Largest secant |D(x) − D(y)| / ‖x − y‖ of the {}"
BOUND = "Proven upper bound of the {}'s Lipschitz constant, at the end, in float64"
FOUND = SECANT.format("score") + " that was found at a distance of {}, in float64."
GAP = (
    "Part of the {}'s total variation between real and generated points that no gradient explains, from 0 "
    "(continuous) to 1 (all jumps)."
)
FID = "Fréchet Inception Distance (Heusel et al. 2017, arXiv:1706.08500)"
TRUE = "arXiv:2206.07767"
LOG_SCORE = (
    "Score: ln(FID of noise / FID) / ln(FID of noise / FID of real pictures): 0 as noise, 1 as real pictures. "
    "In runs of lipbench these are one half against the other, of other counts than the methods' pictures, and FID "
    "falls with counts: a score above 1 is not better than real pictures."
)
LOG_SCORE_W1 = "Score: ln(W₁ of noise / W₁) / ln(W₁ of noise / W₁ of real points): 0 as noise, 1 as real points."
COSINE = Curve(
    axis="cosine with the true gradient",
    caption="Cosine between the score's gradient and the true one over training",
)

COLUMNS = (
    Column("run_id", "Name of the run: method, data, seed and a digest of all that was asked.", "text",
           views=View.RUNS, place=LAST),
    Column("method", "Method, with the parameters that were set.", "text", views=View.RUNS),
    Column("dataset", "Data set, or pair of distributions.", "text"),
    Column("architecture", "Generator and critic, or the critic alone.", "text"),
    Column("loss", "Loss that both are trained by.", "text"),
    Column("protocol", "Name for how was trained and measured.", "text"),
    Column("comparison", "Digest of the protocol: runs are compared where it and the data set are equal.", "text"),
    Column("settings", "Whether all methods share their settings (`shared`) or have those of their authors "
           "(`recommended`).", "text"),
    Column("seed", "Seed of all random numbers.", "whole", low=0.0, views=View.RUNS),
    Column("pairing", "Name of what gives equal seeds the same pictures and random numbers: runs are paired by seed "
           "where it is equal; `lipbench` in its own runs.", "text"),
    Column("status", "`done`, `diverged`, `failed`, `running` or `interrupted`.", "text", views=View.RUNS),
    Column("steps", "Steps made, of the generator, or of the critic where it is trained alone.", "whole", low=0.0,
           views=View.RUNS),
    Deciding("fid", f"{FID} between generated and real pictures, by the averaged generator at the last step.",
             title="FID", better="lower", low=0.0, slack=0.01, traced=True,
             curve=Curve(seconds=True, log=True, least=2), views=MEANS,
             untrained="fid_noise", nothing="noise", real="fid_real", score=LOG_SCORE, followed="fid_curve"),
    Column("fid_best", "Least FID of any evaluation, where it is known of others than the last.", title="best FID",
           better="lower", low=0.0, slack=0.01, views=View.SUMMARY | View.RUNS),
    Column("best_step", "Step of the evaluation with the least FID.", "whole", views=View.RUNS),
    Column("fid_gap", "`fid` − `fid_best`: what the choice of the best evaluation would hide.", title="gap",
           views=View.SUMMARY | View.RUNS),
    Column("fid_curve", "FID of the same pictures by the curve extractor, where the protocol has one: it tells how "
           "training went, and is not comparable with `fid`.", title="curve FID", better="lower", low=0.0, slack=0.01,
           traced=True, curve=Curve(seconds=True, log=True, by="curve_extractor"), views=View.RUNS),
    Column("fid_real", "FID of real pictures, one half against the other."),
    Column("fid_noise", "FID of noise."),
    Column("kid", "Kernel Inception Distance (Bińkowski et al. 2018, arXiv:1801.01401) of the same pictures.",
           title="KID", better="lower", views=MEANS),
    Column("kid_std", "Standard deviation of the KID over subsets of the pictures."),
    Column("inception_score", "Inception Score (Salimans et al. 2016, arXiv:1606.03498) of the generated pictures.",
           title="Inception Score", better="higher", views=MEANS),
    Column("inception_score_std", "Standard deviation of the Inception Score over parts of the pictures."),
    Deciding("sample_w1", "Exact Wasserstein-1 distance between generated points and as many real ones, of one or two "
             "numbers each.", title="sample W₁", better="lower", low=0.0, traced=True,
             curve=Curve(seconds=True, log=True, least=2), views=MEANS,
             untrained="sample_w1_noise", nothing="noise", real="sample_w1_real", score=LOG_SCORE_W1),
    Column("sample_w1_real", "The same between two sets of real points: its floor."),
    Column("sample_w1_noise", "The same of points that are uniform in the range of the real ones."),
    Column("modes_covered", "Modes with at least one sample of high quality; with any sample, where quality is not "
           "defined.", title="modes", better="higher", low=0.0, traced=True, curve=Curve(least=2), views=MEANS),
    Column("modes", "Modes of the data.", "whole", low=1.0),
    Column("high_quality", "Share of the generated points within three standard deviations of a mode, or of the curve "
           "along which the data lie.", title="high quality", better="higher", low=0.0, high=1.0, traced=True,
           curve=Curve(least=2), views=MEANS),
    Column("modes_kl", "Kullback-Leibler divergence, in nats, of the distribution of generated samples over the modes "
           "from the real one.", title="modes KL", better="lower", low=0.0, traced=True, curve=Curve(least=2),
           views=View.SUMMARY | View.RUNS),
    Column("theta", "Where the generator of a Dirac-GAN is; the data are 0.", title="θ", traced=True, views=View.RUNS),
    Column("psi", "Slope of the raw critic of a Dirac-GAN.", title="ψ", traced=True, views=View.RUNS),
    Column("dynamics", "What a Dirac-GAN does at its end: `converges`, `cycles`, `diverges` or `stuck`.", "text",
           views=View.RUNS),
    Column("engine", "How gradients of gradient norms are taken: `three-sweep` or `double-backward`; `plain` where the "
           "method needs none.", "text"),
    Column("extractor", "Network that gives the features of pictures, with a digest of its weights.", "text"),
    Column("curve_extractor", "Network, with a digest of its weights, that gives the features of every evaluation "
           "where `extractor` is asked at the last one alone.", "text"),
    Column("features", "How many features the extractor gives of a picture.", "whole", low=0.0),
    Column("samples", "Generated pictures, or points, that were compared.", "whole", low=0.0),
    Column("real_samples", "Real ones that the generated ones were compared with.", "whole", low=0.0),
    Column("split", "Part of the data set that the real pictures are from.", "text"),
    Column("grad_norm_mean", f"Mean {NORM.format('score')}.", title="‖∇score‖ mean", low=0.0,
           views=View.SUMMARY | View.RUNS, place=GRADIENTS),
    Column("grad_norm_p95", f"95th percentile of the {NORM.format('score')}.", low=0.0),
    Column("grad_norm_max", f"Largest {NORM.format('score')}.", title="‖∇score‖ max", low=0.0, traced=True, views=MEANS,
           place=GRADIENTS),
    Column("raw_grad_norm_mean", f"Mean {NORM.format('raw critic')}.", low=0.0, views=View.RUNS, place=GRADIENTS),
    Column("raw_grad_norm_p95", f"95th percentile of the {NORM.format('raw critic')}.", low=0.0),
    Column("raw_grad_norm_max", f"Largest {NORM.format('raw critic')}.", title="‖∇critic‖ max", low=0.0, traced=True,
           views=View.SUMMARY, place=GRADIENTS),
    Column("guarantee", "What the authors of the method claim of its critic: `none`, `soft`, `almost everywhere`, "
           "`layerwise` or `certified`.", "text"),
    Column("lipschitz_target", "Lipschitz constant at which the method aims."),
    Column("secant_pairs", f"{SECANT.format('score')} over pairs of held-out real, generated and interpolated points.",
           low=0.0),
    Column("secant_1", FOUND.format("1"), low=0.0),
    Column("secant_0.1", FOUND.format(".1"), low=0.0),
    Column("secant_0.01", FOUND.format(".01"), low=0.0),
    Column("secant_0.001", FOUND.format(".001"), low=0.0),
    Column("secant_max", f"{SECANT.format('score')} that was found at any distance.", title="largest secant", low=0.0,
           views=MEANS, place=SLOPES),
    Column("lipschitz_bound", f"{BOUND.format('score')}; empty where `no_bound` says why.", title="proven bound",
           low=0.0, views=View.SUMMARY | View.RUNS, place=SLOPES),
    Column("raw_lipschitz_bound", f"{BOUND.format('raw critic')}.", low=0.0),
    Column("no_bound", "Why no bound is proven of the score.", "text"),
    Column("seconds_bound", "Seconds that the proof took, within those of all evaluations.", unit="s", low=0.0),
    Column("tv_gap", GAP.format("score"), title="TV gap", views=View.RUNS, place=SLOPES),
    Column("raw_secant_max", f"{SECANT.format('raw critic')} that was found at any distance.", low=0.0),
    Column("raw_tv_gap", GAP.format("raw critic")),
    Column("pair", "Digest of the pair of distributions of known distance.", "text"),
    Deciding("cos", f"Mean cosine between the score's gradient and the true one at points of the first distribution "
             f"({TRUE}).", title="cos", better="higher", low=-1.0, high=1.0, slack=1e-6, traced=True, curve=COSINE,
             views=MEANS, place=TRUTH,
             untrained=0.0, nothing="a random direction", score="Score: the cosine itself."),
    Column("l2", f"Mean square of the difference between those two gradients ({TRUE}).", title="l2", better="lower",
           views=MEANS, place=TRUTH),
    Column("w1_estimate", "Mean score at points of the first distribution less that at points of the second: an "
           "estimate of their Wasserstein-1 distance.", title="W₁ estimate", views=MEANS, place=TRUTH),
    Column("w1_true", "Wasserstein-1 distance of the pair."),
    Column("seconds_train", "Seconds of training, without evaluations.", title="training s", unit="s", better="lower",
           low=0.0, traced=True, views=View.SUMMARY | View.RUNS, place=TRAINING),
    Column("seconds_per_step", "Seconds a step, the median over stretches of training.", title="ms/step", unit="s",
           scale=1000.0, better="lower", low=0.0, views=MEANS, place=STEP),
    Column("seconds_evaluate", "Seconds of all evaluations.", unit="s", better="lower", low=0.0),
    Column("peak_memory_bytes", "Largest memory in use while training: of the GPU; of the whole process on a CPU.",
           "whole", unit="bytes", better="lower", low=0.0),
    Column("device", "Name of the GPU or processor.", "text"),
    Column("diverged_at", "Step at which something was no longer finite.", "whole"),
    Column("error", "Why the run failed or diverged.", "text"),
    Column("pictures", "Digest of the pictures of the data set.", "text"),
    Column("points", "Digest of the distribution of points.", "text"),
)  # fmt: skip
DECIDING = tuple(column for column in COLUMNS if isinstance(column, Deciding))
# What differs between two executions of a run that come to the same numbers: times, memory, and where it took place.
VARYING = frozenset(column.name for column in COLUMNS if column.unit) | {
    "device", "trace", "engine_reason", "cuda_graph", "cuda_graph_reason", "memory_format",
}  # fmt: skip
COUNTS = ["method", "n", "diverged", "unfinished"]  # what stands beside the measures in a table of means
# In small letters, what else tables, results and traces hold.
_HELD = {name.lower() for column in COLUMNS for name in (column.name, column.title)} | {
    *COUNTS, "comparison_id", "part", "line", "message", "step", "trace", "critic_loss", "generator_loss", "passes",
    "engine_reason", "cuda_graph", "cuda_graph_reason", "memory_format", "not_examined",
    "kid_subset_size", "isc_splits", "kid_mean",
}  # fmt: skip
_EXAMINED = ("grad_norm_", "raw_grad_norm_", "secant_", "raw_secant_")


def in_view(columns: Iterable[Column], view: View) -> list[Column]:
    """Those that stand in a table for people, in its order."""
    return sorted((column for column in columns if view in column.views), key=lambda column: column.place)


def is_taken(name: str) -> bool:
    """Whether no measure of a plugin can have this name, since something else of a run has it."""
    return name.lower() in _HELD or name.lower().startswith(_EXAMINED)
