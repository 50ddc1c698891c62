"""Tables that mirror what a provider has. Only `jobs.mirror` writes them."""
