"""Error groups in the REST API."""
