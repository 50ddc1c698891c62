"""Sending to a provider's API within bounds, and redaction of what comes back."""
