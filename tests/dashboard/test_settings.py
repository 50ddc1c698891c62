"""What settings a deployment's environment leads to."""

import json
from pathlib import Path
from typing import Any

from tests.dashboard.settings_file import read_settings


def settings_for(var_dir: Path, *names: str, **environment: str) -> dict[str, Any]:
    found = read_settings(var_dir, **environment)
    plain: dict[str, Any] = json.loads(
        json.dumps({name: found.get(name) for name in names}, default=str)
    )
    return plain


def test_nothing_set_means_one_machine(tmp_path: Path) -> None:
    found = settings_for(
        tmp_path,
        "DATABASES",
        "CACHES",
        "CELERY_BROKER_URL",
        "CELERY_BROKER_TRANSPORT_OPTIONS",
        "ALLOW_PRIVATE_ADDRESSES",
        "DEBUG",
    )

    database = found["DATABASES"]["default"]
    assert database["NAME"] == str(tmp_path / "reelboard.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert found["CACHES"]["default"]["BACKEND"].endswith("LocMemCache")
    assert found["CELERY_BROKER_URL"] == "filesystem://"
    folder = tmp_path / "broker"
    assert found["CELERY_BROKER_TRANSPORT_OPTIONS"]["data_folder_in"] == str(folder)
    assert folder.is_dir()
    assert found["ALLOW_PRIVATE_ADDRESSES"] is False
    assert found["DEBUG"] is False


def test_a_team_has_postgresql_and_redis(tmp_path: Path) -> None:
    found = settings_for(
        tmp_path,
        "DATABASES",
        "CACHES",
        "CELERY_BROKER_URL",
        "CELERY_BROKER_TRANSPORT_OPTIONS",
        "CELERY_WORKER_PREFETCH_MULTIPLIER",
        DATABASE_URL="postgres://board@db/reelboard",
        CELERY_BROKER_URL="redis://queue:6379/0",
    )

    database = found["DATABASES"]["default"]
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)
    cache = found["CACHES"]["default"]
    assert cache["LOCATION"] == "redis://queue:6379/0"
    timeouts = {"socket_connect_timeout": 3, "socket_timeout": 3}
    assert cache["OPTIONS"] == timeouts
    assert timeouts.items() <= found["CELERY_BROKER_TRANSPORT_OPTIONS"].items()
    assert found["CELERY_BROKER_URL"] == "redis://queue:6379/0"
    assert found["CELERY_WORKER_PREFETCH_MULTIPLIER"] == 1


def test_no_mail_is_sent_or_logged_without_a_mail_server(tmp_path: Path) -> None:
    names = ("MAIL_IS_SET_UP", "EMAIL_BACKEND", "ACCOUNT_EMAIL_VERIFICATION")
    backends = "django.core.mail.backends"
    assert settings_for(tmp_path, *names) == {
        "MAIL_IS_SET_UP": False,
        "EMAIL_BACKEND": f"{backends}.dummy.EmailBackend",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
    }
    given = settings_for(tmp_path, *names, EMAIL_URL="smtp://mail.example.org:25")
    assert given == {
        "MAIL_IS_SET_UP": True,
        "EMAIL_BACKEND": f"{backends}.smtp.EmailBackend",
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
    }


def test_mails_are_from_the_board_unless_configured_otherwise(tmp_path: Path) -> None:
    names = ("DEFAULT_FROM_EMAIL", "SERVER_EMAIL", "EMAIL_TIMEOUT")
    usual = settings_for(tmp_path, *names, BASE_URL="https://board.example.org:8443")
    given = settings_for(tmp_path, *names, EMAIL_FROM="Board <encoding@example.org>")

    assert list(usual.values()) == ["reelboard@board.example.org"] * 2 + [10]
    assert list(given.values()) == ["Board <encoding@example.org>"] * 2 + [10]


SECURITY = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")


def test_scheme_of_the_public_url_decides_about_https(tmp_path: Path) -> None:
    plain = settings_for(tmp_path, *SECURITY, "SECURE_HSTS_SECONDS")
    https = settings_for(
        tmp_path, *SECURITY, "SECURE_HSTS_SECONDS", BASE_URL="https://board.example.org/"
    )

    assert not any(plain.values())
    assert all(https.values())


def test_proxy_headers_count_only_when_configured(tmp_path: Path) -> None:
    names = ("SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT")

    assert list(settings_for(tmp_path, *names).values()) == [None, 0]
    assert list(settings_for(tmp_path, *names, TRUST_PROXY_HEADERS="1").values()) == [
        ["HTTP_X_FORWARDED_PROTO", "https"],
        1,
    ]


def test_heartbeat_is_only_scheduled_where_somebody_listens(tmp_path: Path) -> None:
    deaf = settings_for(tmp_path, "CELERY_BEAT_SCHEDULE")["CELERY_BEAT_SCHEDULE"]
    heard = settings_for(
        tmp_path, "CELERY_BEAT_SCHEDULE", HEARTBEAT_URL="https://watch.example.com/ping/3"
    )["CELERY_BEAT_SCHEDULE"]

    assert "heartbeat" not in deaf
    assert set(heard) - set(deaf) == {"heartbeat"}
    assert heard["heartbeat"]["schedule"] == 60
