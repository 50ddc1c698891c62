"""Failures that are retried without anybody asking for it."""
