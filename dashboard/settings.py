"""Settings of the project, read from the environment; docs/deploying.md lists the variables."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import django_stubs_ext
from celery.schedules import crontab
from csp.constants import NONE, SELF
from sentry_sdk.utils import BadDsn
from whitenoise.compress import Compressor

from dashboard.environment import Environment, make_folder, refuse
from dashboard.logging import configure_logging, start_error_reports

# Lets annotations say ModelAdmin[Job] and the like, which Django itself refuses.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

DEBUG = env.flag("DEBUG")
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()
make_folder("VAR_DIR", VAR_DIR)

# Secrets. With DEBUG=1 anyone who reads this file knows them, which is why they are needed else.

SECRET_KEY = env.required(
    "SECRET_KEY",
    default="known-to-all-and-only-for-debugging-on-ones-own-machine" if DEBUG else None,
    hint="use a random string of at least 50 characters (or set DEBUG=1 to try things out)",
)
CREDENTIALS_KEYS = env.strings(
    "CREDENTIALS_KEYS", "known-to-all-and-only-for-debugging" if DEBUG else ""
)
if not CREDENTIALS_KEYS:
    refuse(
        "CREDENTIALS_KEYS",
        "is not set; use a random string of at least 32 characters, which encrypts provider "
        "credentials (or set DEBUG=1 to try things out)",
    )
if min(map(len, CREDENTIALS_KEYS)) < 32:
    refuse("CREDENTIALS_KEYS", "contains a key with fewer than 32 characters")
METRICS_TOKEN = env.text("METRICS_TOKEN")

# Addresses

BASE_URL = env.web_url("BASE_URL", "http://127.0.0.1:8000")
SECURE = BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS", stars_allowed=True)
TRUST_PROXY_HEADERS = env.flag("TRUST_PROXY_HEADERS")
ALLOW_PRIVATE_ADDRESSES = env.flag("ALLOW_PRIVATE_ADDRESSES", default=DEBUG)
HEARTBEAT_URL = env.web_url("HEARTBEAT_URL")
# Source files that the submit form offers to those who have none at hand.
# For how long it is known what became of each job of a bulk action
BULK_RESULTS_DAYS = env.number("BULK_RESULTS_DAYS", 90, largest=3650)
SAMPLE_INPUTS = env.strings("SAMPLE_INPUTS")

# Application

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "dashboard.static_files.StaticFiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "corsheaders",
    "csp",
    "django_htmx",
    "ninja",
    "organizations",
    "jobs",
    "insights",
    "sandbox",
    "dashboard",
]
MIDDLEWARE = [
    "dashboard.web.stack.stack_room",
    "dashboard.web.headers.request_ids",
    "organizations.audit.origin.request_origins",
    "jobs.api.http.middleware.rate_limits",
    "corsheaders.middleware.CorsMiddleware",
    "jobs.api.http.middleware.api_responses",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dashboard.web.headers.permissions_policy",
    "dashboard.health.probes",
    "dashboard.web.headers.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "organizations.profile.sessions.track_sessions",
    "organizations.profile.time_zones.local_times",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.web.slow_pages.SlowPages",
]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "organizations.context.switcher",
                "organizations.context.preferences",
                "organizations.context.sign_in",
            ],
        },
    }
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# Storage

# A path may hold what means something in a URL: % + ? #
_VAR_URL = quote(str(VAR_DIR))
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{_VAR_URL}/reelboard.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads first and writes later fails at once, whatever the timeout,
        # when another wrote in between. Taking the write lock at the start waits instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Ten times the requests a second of a new connection for each.
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

BROKER_URL = env.broker("CELERY_BROKER_URL", f"filesystem://{_VAR_URL}/broker")
EMBEDDED_BROKER = BROKER_URL.startswith("filesystem://")
CACHES = {"default": env.cache("CACHE_URL", "locmem://" if EMBEDDED_BROKER else BROKER_URL)}
# Seconds. Web requests wait for Redis, which answers in milliseconds or not at all.
REDIS_TIMEOUTS = {"socket_connect_timeout": 3, "socket_timeout": 3}
if CACHES["default"]["BACKEND"].endswith("RedisCache"):
    CACHES["default"]["OPTIONS"] = REDIS_TIMEOUTS

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Every page asks for files by their hashed names, so only those are kept and compressed.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps are megabytes that only a debugger asks for.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Sign-in

AUTH_USER_MODEL = "organizations.User"
AUTHENTICATION_BACKENDS = ["organizations.sign_in.adapter.SignInBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "organizations.sign_in.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Sign-up is closed: an e-mail address is vouched for by the person who creates the user. Where mail
# is set up, it is also verified.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if env.text("EMAIL_URL") else "none"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
# Else anyone could make the board send mail to unknown addresses.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_FORMS = {
    "login": "organizations.sign_in.forms.LoginForm",
    "reauthenticate": "organizations.sign_in.forms.ReauthenticateForm",
    "change_password": "organizations.sign_in.forms.ChangePasswordForm",
    "set_password": "organizations.sign_in.forms.SetPasswordForm",
    "reset_password": "organizations.sign_in.forms.ResetPasswordForm",
    "reset_password_from_key": "organizations.sign_in.forms.ResetPasswordKeyForm",
}
# Wrong passwords: by client, and by client and address together (`key`, see the adapter).
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Single sign-on, where an issuer is named
OIDC_ISSUER = env.secure_url("OIDC_ISSUER")
_NO_CLIENT = None if OIDC_ISSUER else ""
OIDC_CLIENT_ID = env.required(
    "OIDC_CLIENT_ID", default=_NO_CLIENT, hint="use what the issuer gave you"
)
OIDC_CLIENT_SECRET = env.required(
    "OIDC_CLIENT_SECRET", default=_NO_CLIENT, hint="use what the issuer gave you"
)
SOCIALACCOUNT_ADAPTER = "organizations.sign_in.single_sign_on.SocialAccountAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
MFA_ADAPTER = "organizations.sign_in.second_factor.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Reelboard"
MFA_TOTP_PERIOD = 30
MFA_TRUST_ENABLED = True
MFA_TRUST_COOKIE_AGE = timedelta(days=30)
# Nobody signs up with an address of somebody else's here, who could then not get in.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "organizations.sign_in.forms.AuthenticateForm",
    "reauthenticate": "organizations.sign_in.forms.ReauthenticateCodeForm",
    "activate_totp": "organizations.sign_in.forms.ActivateTOTPForm",
    "add_webauthn": "organizations.sign_in.forms.AddPasskeyForm",
    "edit_webauthn": "organizations.sign_in.forms.RenamePasskeyForm",
    "authenticate_webauthn": "organizations.sign_in.forms.PasskeyForm",
    "login_webauthn": "organizations.sign_in.forms.SignInPasskeyForm",
    "reauthenticate_webauthn": "organizations.sign_in.forms.ReauthenticatePasskeyForm",
}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if TRUST_PROXY_HEADERS else 0

# Mail

# Without a mail server nothing is sent, and the page for a forgotten password says so: a link in
# a log would be open to all who read that.
MAIL_IS_SET_UP = bool(env.text("EMAIL_URL"))
globals().update(env.email("EMAIL_URL", "dummymail://"))
DEFAULT_FROM_EMAIL = env.mail_sender("EMAIL_FROM", f"reelboard@{urlsplit(BASE_URL).hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# A worker's thread waits for the mail server.
EMAIL_TIMEOUT = 10

# Response headers

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
# Nothing leaves the site. (With "no-referrer" browsers send "Origin: null" with our own forms,
# which the CSRF check refuses.)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "organizations.profile.session_store"
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
CSRF_FAILURE_VIEW = "jobs.views.problems.form_expired"
SECURE_SSL_REDIRECT = SECURE
# Asked by the platform from inside, past the proxy that ends TLS.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SILENCED_SYSTEM_CHECKS = [
    # One host must not decide for its siblings, nor put them on the browsers' preload list.
    "security.W005",
    "security.W021",
]
if TRUST_PROXY_HEADERS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Other sites may call the API from a browser, with a token: cookies are no use there.
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "idempotency-key", "if-none-match"),
    "x-request-id",
)
CORS_EXPOSE_HEADERS = (
    *("ETag", "Location", "Retry-After", "X-Request-Id"),
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
)

# Background work

if EMBEDDED_BROKER:
    BROKER_DIR = Path(unquote(urlsplit(BROKER_URL).path))
    make_folder("CELERY_BROKER_URL" if env.text("CELERY_BROKER_URL") else "VAR_DIR", BROKER_DIR)
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(BROKER_DIR),
        "data_folder_out": str(BROKER_DIR),
        # Seconds; what an idle worker costs and how soon it starts a task.
        "polling_interval": 0.2,
    }
    # With 1, a broker that is polled runs a task or two per thread and polling interval.
    CELERY_WORKER_PREFETCH_MULTIPLIER = 4
else:
    CELERY_BROKER_URL = BROKER_URL
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Longer than any task takes (a task that outlives it runs again), and what a killed
        # worker held is looked for every few seconds rather than on every tenth message.
        "visibility_timeout": 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        **REDIS_TIMEOUTS,
        # Try once to publish: workers and beat reconnect by other settings.
        "max_retries": 0,
    }
    CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A web request that publishes must not wait for a broker that is down: the sweep makes up for it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
# Every task may run twice, so it is only forgotten once it is done.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 8
CELERY_WORKER_CONSUMER = "dashboard.celery:QuietConsumer"
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_IMPORTS = ("dashboard.heartbeat",)  # other tasks are found in the applications
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# Leases and searches for submissions whose end is open take their time divided by this. Providers
# need all of it, so no variable sets it: only the fault runs do (tests/faults/settings.py).
RECOVERY_SPEEDUP = 1
# A tick that nobody took before the next one is due is dropped: they must not pile up.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "tick": {"task": "jobs.tasks.tick", "schedule": 2.0, "options": {"expires": 1.5}},
    "mark_stuck": {
        "task": "jobs.tasks.mark_stuck",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    "learn_usual_times": {
        "task": "jobs.tasks.learn_usual_times",
        "schedule": crontab(minute="*/20"),
        "options": {"expires": 600.0},
    },
    "raise_precedence": {
        "task": "jobs.tasks.raise_precedence",
        "schedule": crontab(minute="10"),
        "options": {"expires": 1800.0},
    },
    "end_mutes": {
        "task": "insights.tasks.end_mutes",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    "keep_up_rollups": {
        "task": "insights.tasks.keep_up_rollups",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    },
    # At night, in UTC: it asks for each provider's whole list.
    "reconcile": {
        "task": "jobs.tasks.reconcile",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 4 * 3600.0},
    },
    "prune": {
        "task": "jobs.tasks.prune",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 4 * 3600.0},
    },
}
if HEARTBEAT_URL:
    CELERY_BEAT_SCHEDULE["heartbeat"] = {
        "task": "dashboard.heartbeat.send",
        "schedule": 60.0,
        "options": {"expires": 50.0},
    }

# Logs

LOGGING_CONFIG = None
LOG_FORMAT = env.choice("LOG_FORMAT", ("console", "json"), "console")
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
configure_logging(LOG_FORMAT, LOG_LEVEL)

if SENTRY_DSN := env.text("SENTRY_DSN"):
    try:
        start_error_reports(SENTRY_DSN)
    except BadDsn:
        refuse("SENTRY_DSN", "is not the DSN of a Sentry project")
