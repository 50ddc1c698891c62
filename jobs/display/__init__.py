"""Values made readable: durations, sizes, phases, differences of settings.

No pages, no queries.
"""
