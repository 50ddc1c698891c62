"""Retrying failures by rules: finding them, requesting each retry once, and trying a rule out."""
