"""Video SDK's encoder over the core: `tokens` says who calls, `job_requests` reads requests,
`files` is the storage API, `payloads` writes answers, `api` routes."""
