"""The jobs of the sandbox: their model and store, what moves them, and what they notify."""
