"""Many inputs that are submitted with the same settings."""
