"""Launches runs: each in a process of its own, which dies with its launcher. Nothing here knows of torch."""

# Exit codes of a cell's process. A diverged run is finished; busy means that another process has the folder;
# stopped, that a signal asked for it and the checkpoint is written.
FINISHED, FAILED, BUSY, STOPPED = 0, 1, 3, 4
