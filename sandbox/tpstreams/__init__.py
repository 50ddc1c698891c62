"""TPStreams' transcoding jobs over the core: `job_requests` reads requests, `payloads` writes
answers, `hooks` keeps the organization's webhooks, `api` routes."""
