"""The losses of critic and generator, a plugin a file."""
