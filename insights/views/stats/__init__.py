"""The page of statistics: what it is of, its figures, charts and tables."""
