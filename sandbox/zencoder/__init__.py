"""Zencoder's API v2 over the core: `orders` reads requests, `wire` writes answers, `api` routes."""
