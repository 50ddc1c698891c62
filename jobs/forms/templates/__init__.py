"""Forms of templates: their settings, and choosing one for a new job."""
