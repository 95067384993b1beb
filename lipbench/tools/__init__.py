"""What is done without training a cell: costs, scores, and networks to load."""
