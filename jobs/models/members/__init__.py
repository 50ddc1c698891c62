"""What members write, and what they wait for."""
