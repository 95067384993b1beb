"""Training: losses, gradients, random streams and the loop. It knows nothing of folders or processes."""
