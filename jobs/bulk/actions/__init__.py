"""What can be done to many jobs: one module for each action, and what they share."""
