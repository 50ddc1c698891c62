"""Stored sources and destinations: keeping, checking, listing and naming them in requests."""
