"""The built-in methods, one file each; the file name is the method name.

A method of one's own may extend one: ``from lipbench_methods.gp import GradientPenalty``.
"""
