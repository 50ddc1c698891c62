"""The WSGI application that Gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from dashboard.web.bodies import read_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = read_bodies(get_wsgi_application())

from jobs.models.statement_limit import limit_statements  # noqa: E402  models need the applications

limit_statements()
