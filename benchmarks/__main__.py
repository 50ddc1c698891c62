"""`make bench`: what must not grow with the number of jobs, as ratios within one run.

Runs in a database of its own that it makes and drops, on SQLite, or on what DATABASE_URL names.
Times are medians of one process on a machine that may be busy: read the ratios.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="of the large organization")
    options = parser.parse_args()
    settings.ALLOWED_HOSTS = ["testserver"]
    django.setup()
    from benchmarks import mirror, pages, search

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(f"{connection.vendor}, {options.jobs:,} jobs")
        mirror.run(measure)
        search.run(options.jobs)
        pages.run(measure, options.jobs)
    finally:
        teardown_databases(databases, verbosity=0)


def measure(call: Callable[[], object], times: int = 15) -> tuple[float, int]:
    """Median seconds of a call, and the queries of one, after a first call that is not counted."""
    queries = 0

    def count(execute: Callable[..., object], *arguments: object) -> object:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        call()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), queries


if __name__ == "__main__":
    main()
