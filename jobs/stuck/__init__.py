"""Which unfinished jobs are stuck, and how long jobs usually take."""
