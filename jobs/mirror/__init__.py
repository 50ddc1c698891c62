"""The only writer of mirrored rows: merge, decide, write, record events.

Not when to read, and no HTTP.
"""
