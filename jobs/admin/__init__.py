"""The Django admin of the mirror: to see everything, and to manage provider accounts.

What is mirrored is shown and never edited: the next pass would overwrite it. Encrypted columns
are left out everywhere; the two models that hold little else (JobSecret, RateBudget) are not
registered. Nothing here counts a whole table.
"""

from jobs.admin import accounts, mirror

__all__ = ["accounts", "mirror"]
