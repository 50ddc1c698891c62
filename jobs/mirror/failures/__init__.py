"""Failures: which of them are one group, and which a later attempt has fixed."""
