"""Finds plugins: names them, reads what their texts say without importing them, and imports them at last."""
