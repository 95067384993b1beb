"""What is measured of a generator (fidelity) and of a critic (gradient norms)."""
