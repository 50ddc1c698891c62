"""Searching jobs by text: its normal form, its trigrams, and the indexes of both databases."""
