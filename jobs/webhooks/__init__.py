"""Providers' deliveries: verify, store, apply."""
