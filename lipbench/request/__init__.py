"""What is asked: protocols, settings, and the cells that they make."""
