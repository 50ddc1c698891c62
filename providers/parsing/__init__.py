"""Reading what a provider sent: values, times, URLs, media facts, pages of a list."""
