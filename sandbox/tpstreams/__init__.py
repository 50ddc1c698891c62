"""TPStreams' transcoding jobs over the core: `orders` reads requests, `wire` writes answers,
`hooks` keeps the organization's webhooks, `api` routes."""
