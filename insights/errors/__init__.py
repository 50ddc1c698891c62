"""Error groups: counting their jobs, listing them, and what people do about them."""
