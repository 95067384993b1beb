"""For authors of methods: what every method must keep, and lipbench trains without a word where it does not.

Each check is a function of a `Subject` that says what it saw, or raises `Failed` or `NotApplicable`.
"""
