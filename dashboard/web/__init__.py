"""Between Gunicorn and the views: bodies, refusals and headers that all of them share."""
