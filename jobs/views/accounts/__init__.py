"""Pages about provider accounts."""
