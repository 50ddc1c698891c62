"""Error groups and statistics in the REST API."""
