"""No constraint: the control.

Formula: f
Paper: Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661
Also: unconstrained, vanilla, control
"""

from lipbench import Method


class Unconstrained(Method):
    """The critic as it is."""

    control = True
