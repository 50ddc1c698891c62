"""Templates: saved settings, and the requests that are made of them."""
