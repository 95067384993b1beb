"""What lies on disk: files and locks, caches and their places, the run folder and the results folder."""
