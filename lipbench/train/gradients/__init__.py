"""The one place where the critic is differentiated with respect to its input.

Callers say what to evaluate and what to minimise, as functions of the critic's value and gradient norm (`terms`); how
the gradients come about is decided here, by one of two engines that give the same numbers: `three_sweeps`, exact for
piecewise linear critics, and `double_backward`, for all others.
"""
