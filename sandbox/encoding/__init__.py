"""Fetching inputs and encoding them with FFmpeg."""
