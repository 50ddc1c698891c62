"""When and what to read from a provider: passes, crawl, refresh, comparison.

Rows are written by `jobs.mirror`.
"""
