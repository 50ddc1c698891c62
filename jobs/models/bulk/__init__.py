"""One action on many jobs: what was asked for, and what became of each job."""
