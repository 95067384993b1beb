"""The version of lipbench."""

VERSION = "0.1.0"
