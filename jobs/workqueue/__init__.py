"""Work that is due in rows of the database: enqueue after commit, dispatch, shares of threads.

Not what the work is.
"""
