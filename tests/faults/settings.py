"""A deployment's settings, except that what a killed worker held is soon taken over."""

from dashboard.settings import *  # noqa: F403

# Leases of ten and fifteen seconds; two complete searches six seconds apart prove absence. All of
# it is still longer than the sandbox ever takes to create a job.
RECOVERY_SPEEDUP = 10
