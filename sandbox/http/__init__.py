"""Requests and responses, the files that are served, the faults, and the sandbox's own pages."""
