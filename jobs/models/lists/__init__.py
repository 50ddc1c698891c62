"""What an organization keeps of its lists of jobs."""
