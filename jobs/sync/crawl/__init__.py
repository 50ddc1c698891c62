"""Paging through a provider's list without missing or repeating a job."""
