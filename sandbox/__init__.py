"""A local server that speaks the encoding providers' APIs and really encodes with FFmpeg.

Outsiders use `sandbox.server.start` (in a thread) or `manage.py sandbox` (a process); see
docs/sandbox.md. Nothing here imports the adapters or the mirror: they meet over HTTP alone.
"""
