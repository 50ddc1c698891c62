"""Zencoder's API v2 over the core: `job_requests` reads requests, `payloads` writes answers,
`api` routes."""
