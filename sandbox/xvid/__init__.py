"""Xvid MediaHub's API v1 over the core: `job_requests` reads requests, `payloads` writes answers,
`api` routes, `tokens` keeps the access tokens."""
