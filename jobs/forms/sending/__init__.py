"""Forms about sending a job that was sent before: again, or to another account."""
