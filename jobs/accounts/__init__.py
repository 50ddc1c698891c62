"""Provider accounts: saving one, opening its API client, its rate budget, how fresh its data is.

Not reading jobs.
"""
