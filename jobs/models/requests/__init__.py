"""What an organization stores for its requests."""
