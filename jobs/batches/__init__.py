"""Many inputs as one batch: checking them, submitting each once, and how far that has got."""
