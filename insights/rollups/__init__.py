"""Sums of ended jobs by quarter hour and day: made from the jobs, kept right, and read."""
