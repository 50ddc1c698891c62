"""Lists of jobs: their pages, what comes after each, and searching them."""
