"""What a manager fills in for a retry rule."""
