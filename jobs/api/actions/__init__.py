"""Calls that act on jobs: on one, or on many at once."""
