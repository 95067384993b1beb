"""``python -m lipbench`` is the same as the ``lipbench`` command."""

from lipbench.cli import main

main()
