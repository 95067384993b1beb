"""What numbers of seeds and data sets say, and no more."""
