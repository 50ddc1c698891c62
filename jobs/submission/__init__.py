"""From a request to a job at the provider, exactly once. No forms."""
