"""The columns of ``runs.csv`` and ``runs.parquet``, and what may stand in them."""

from collections.abc import Callable
from math import isfinite
from typing import Any

COLUMNS = [
    "run_id",
    "method",
    "dataset",
    "architecture",
    "loss",
    "protocol",
    "comparison",
    "settings",
    "seed",
    "pairing",
    "status",
    "steps",
    "fid",
    "fid_best",
    "best_step",
    "fid_gap",
    "fid_real",
    "fid_noise",
    "kid",
    "kid_std",
    "inception_score",
    "inception_score_std",
    "engine",
    "extractor",
    "features",
    "samples",
    "real_samples",
    "split",
    "grad_norm_mean",
    "grad_norm_p95",
    "grad_norm_max",
    "raw_grad_norm_mean",
    "raw_grad_norm_p95",
    "raw_grad_norm_max",
    "guarantee",
    "lipschitz_target",
    "secant_pairs",
    "secant_1",
    "secant_0.1",
    "secant_0.01",
    "secant_0.001",
    "secant_max",
    "tv_gap",
    "raw_secant_max",
    "raw_tv_gap",
    "pair",
    "cos",
    "l2",
    "w1_estimate",
    "w1_true",
    "seconds_train",
    "seconds_per_step",
    "seconds_evaluate",
    "peak_memory_bytes",
    "device",
    "diverged_at",
    "error",
    "pictures",
]
TEXT = {
    "run_id", "method", "dataset", "architecture", "loss", "protocol", "comparison", "settings", "status", "engine",
    "extractor", "split", "device", "error", "guarantee", "pair", "pairing",
    "pictures",
}  # fmt: skip
WHOLE = {"seed", "steps", "best_step", "features", "samples", "real_samples", "peak_memory_bytes", "diverged_at"}
LIPBENCH = "lipbench"  # the pairing of its own runs
KINDS = {name: "string" if name in TEXT else "Int64" if name in WHOLE else "float64" for name in COLUMNS}


def is_number(value: Any) -> bool:
    """Whether `value` is a finite number that a column can hold; True and False are none."""
    return (type(value) is float and isfinite(value)) or is_whole(value)


def is_whole(value: Any) -> bool:
    """Whether `value` is a whole number of at most 64 bits."""
    return type(value) is int and -(2**63) <= value < 2**63


def is_text(value: Any) -> bool:
    """Whether `value` is a text."""
    return isinstance(value, str)


# What a value of each kind is called, and how it is told.
CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a text", is_text),
    "Int64": ("a whole number", is_whole),
    "float64": ("a number", is_number),
}
