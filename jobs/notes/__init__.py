"""Notes on jobs and errors: writing them, what is in their text, and whom they mention."""
