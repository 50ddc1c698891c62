"""Retrying a job at another account: its request in that provider's terms, and the comparison."""
