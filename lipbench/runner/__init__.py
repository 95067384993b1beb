"""Runs cells: each in a process of its own, which dies with its launcher; the run folder is all that they share."""

# Exit codes of a cell's process. A diverged run is finished; busy means that another process has the folder.
FINISHED, FAILED, BUSY = 0, 1, 3
