"""The functions of `lipbench`: what the command line does, for notebooks and scripts."""
