"""One action on many jobs: which they are, asking for each once, and what became of them."""
