"""The form for a new job: what fills it in, submitting it, and saving it as a template."""
