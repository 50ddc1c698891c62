"""The production settings, on a database and a broker of the test run's own.

Everything comes through the environment, as for any other process, so that what the tests see
is what a deployment gets. `TEST_SERVICES=1` is the run that has PostgreSQL, where there is one.
"""

import os
import tempfile

from tests import services

RUN_FOLDER = tempfile.TemporaryDirectory(prefix="reelboard-tests-")
RUN_ENVIRONMENT = {
    "VAR_DIR": RUN_FOLDER.name,
    "SECRET_KEY": "a-secret-key-of-the-tests-that-protects-nothing-at-all",
    "CREDENTIALS_KEYS": "a-credentials-key-of-the-tests-alone",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "ALLOW_PRIVATE_ADDRESSES": "1",
    "LOG_LEVEL": "WARNING",
}
CONTRARY = (
    "DEBUG", "DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "BASE_URL", "EMAIL_URL",
    "EMAIL_FROM", "CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "TRUST_PROXY_HEADERS",
    "METRICS_TOKEN", "SENTRY_DSN", "HEARTBEAT_URL", "LOG_FORMAT",
    "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET",
)  # fmt: skip
for variable in (*CONTRARY, *RUN_ENVIRONMENT):
    os.environ.pop(variable, None)
    os.environ.pop(f"{variable}_FILE", None)
os.environ.update(RUN_ENVIRONMENT)
if services.are_requested() and services.POSTGRES.is_there():
    os.environ["DATABASE_URL"] = services.POSTGRES.address

from dashboard.settings import *  # noqa: E402, F403

if services.are_requested() and services.POSTGRES.is_there():
    # Nothing of the tests has to outlive a power cut.
    DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}  # noqa: F405
else:
    # A file, as in production: threads that share a database in memory do not wait for a lock.
    DATABASES["default"]["TEST"] = {"NAME": f"{RUN_FOLDER.name}/tests.sqlite3"}  # noqa: F405
STATIC_ROOT.mkdir()  # noqa: F405  WhiteNoise warns where it is missing
MAIL_IS_SET_UP = True  # pytest-django keeps the mails in memory
# Neither a hashed file name for each {% static %} nor a slow hash for each password.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
