"""Notes on jobs and errors, and the mentions in them."""
