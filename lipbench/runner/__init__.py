"""Runs cells: each in a process of its own, which dies with its launcher; the run folder is all that they share."""
