"""Where runs take place, a plugin a file."""
