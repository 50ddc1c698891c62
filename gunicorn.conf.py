"""Gunicorn's settings; it reads this file by itself where it starts."""

from django.conf import settings

from dashboard.environment import Environment
from dashboard.logging import logging_config

env = Environment()

bind = f"{env.text('WEB_HOST', '127.0.0.1')}:{env.number('PORT', 8000, 65_535)}"
worker_class = "dashboard.web.worker.Worker"
workers = env.number("WEB_CONCURRENCY", 2, 1_000)
threads = env.number("WEB_THREADS", 4, 1_000)
# How long a process may be silent altogether. The few pages that ask a provider (for a link, the
# usage, a check of credentials) give up by themselves, after 20 seconds at most.
timeout = 30
graceful_timeout = 5
# Bounds what a leak in any library can take; the jitter keeps workers from leaving together.
max_requests = 10_000
max_requests_jitter = 1_000

control_socket_disable = True
accesslog = "-"
# A poll says which rows and accounts its page shows: 200 rows and 400 accounts fit.
limit_request_line = 8190
# Without the query string and the referrer, which hold what people search for.
access_log_format = "%(h)s %(m)s %(U)s %(s)s %(B)sB %(M)sms %({x-request-id}o)s"
# Read here, in the master, so that a wrong environment ends it with one sentence; in a worker it
# would be started again and again.
logconfig_dict = logging_config(settings.LOG_FORMAT, settings.LOG_LEVEL)
