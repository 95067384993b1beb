"""What the commands print, and what shows that they are under way."""
