"""`python -m tests.faults [name ...]`: run the scenarios of docs/faults.md, and print a table."""

import os
import sys

import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_SERVICES": "1"}
django.setup()

from tests.faults.runner import main  # noqa: E402

sys.exit(main())
