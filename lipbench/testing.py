"""For the tests of your own methods, under pytest or any other runner; torch is imported when a check is made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lipbench
from lipbench.tools.authors.finding import Examined


def check_method(
    method: "str | Path | type[lipbench.Method] | lipbench.Method",
    *,
    protocol: str | Path = "digits",
    datasets: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    steps: int = 300,
) -> Examined:
    """See that a method keeps what lipbench expects of every method.

    The checks are those of ``lipbench check ./my_method.py``: a run accepts it; it treats each sample by itself and
    changes none in place; it is not the control, and no hook could be left out; a seed sets all its random numbers,
    and other methods' stay as they are; it resumes bit-equal; it survives a dead critic, huge and tiny values, a batch
    of one and bfloat16; and gradients, secants and the proven bound after a short training do not
    contradict its guarantee.

    Args:
        method: the path of its file, a name with parameters such as ``"gp[weight=1]"``, a class, or an instance.
        protocol: a protocol's name, or the path of a TOML file; it trains a generator against a critic.
        datasets: such as ``"digits"``; the protocol's own if None.
        overrides: settings of the protocol by dotted key, such as ``{"architecture": "mlp"}``.
        steps: of the training after which the guarantee is measured; 300 take some seconds.

    Returns:
        All findings, with what was measured.

    Raises:
        AssertionError: a check failed; the text has all that did.
        RequestError: there is no such method, protocol, data set or setting.
    """
    __tracebackhide__ = True
    from lipbench.api import methods

    found = methods.check_method(method, protocol=protocol, datasets=datasets, overrides=overrides, steps=steps)
    if found.failed:
        lines = [f"  {finding}" for finding in found.failed]
        raise AssertionError("\n".join([f"{found.method} fails {len(lines)} of {len(found.findings)} checks:", *lines]))
    return found
