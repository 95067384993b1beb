"""What plugins derive from, and what they give back."""
