"""Acting on many jobs: confirming what will be done, watching it, and what was done before."""
