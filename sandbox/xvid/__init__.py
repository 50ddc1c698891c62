"""Xvid MediaHub's API v1 over the core: `orders` reads requests, `wire` writes answers, `api`
routes, `grants` keeps the access tokens."""
