"""Video SDK's encoder over the core: `tokens` says who calls, `orders` reads requests, `files`
is the storage API, `wire` writes answers, `api` routes."""
