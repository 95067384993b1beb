"""The work on one cell: built, checked, trained, measured; in a process of its own."""
