"""Submitting many inputs at once: checking them, and how far each batch has got."""
