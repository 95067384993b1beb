"""Figures: what is drawn, how it looks, and how it is written."""
