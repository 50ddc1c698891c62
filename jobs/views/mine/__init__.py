"""What concerns one person: what is assigned to somebody, and notices of jobs that ended."""
