"""`make bench`: what lists cost the server, at ten thousand jobs and at very many.

Runs in a database of its own that it makes and drops, on SQLite, or on what DATABASE_URL names.
Work is CPU of this process and of its session at the database, in medians: what else the machine
does matters little.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases, teardown_databases


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="of all organizations together")
    parser.add_argument("--folder", type=Path, help="for the figures and plans")
    parser.add_argument("--no-mirror", action="store_true", help="without the writer")
    parser.add_argument("--alone", action="store_true", help="without a plain admin and ListView")
    options = parser.parse_args()
    _be_like_production()
    django.setup()
    from benchmarks import mirror, pages
    from jobs.models.statement_limit import limit_statements

    limit_statements()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(f"{connection.vendor}, {options.jobs:,} jobs")
        if not options.no_mirror:
            mirror.run()
        folder = options.folder or settings.VAR_DIR / "bench"
        pages.run(options.jobs, folder, is_alone=options.alone)
    finally:
        teardown_databases(databases, verbosity=0)


def _be_like_production() -> None:
    """What DEBUG, which needs no keys, would add to each request is left out."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ROOT_URLCONF = "benchmarks.rivals"
    static = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": static}}


if __name__ == "__main__":
    main()
