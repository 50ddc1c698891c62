"""Cancel and retry a job."""
