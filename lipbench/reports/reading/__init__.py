"""Reading runs: from folders and files to checked tables."""
