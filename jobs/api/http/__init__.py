"""What all calls have in common: their refusals, in JSON, and the headers of their responses."""
