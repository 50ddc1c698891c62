"""How the environment is read, and what is said about a wrong one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.environment import Environment
from tests.dashboard.settings_file import ENOUGH, PROJECT_DIR, read_settings

BIN = Path(sys.executable).parent


def test_value_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of the file\n")
    env = Environment({"TOKEN_FILE": str(tmp_path / "token"), "OTHER": "given"})

    assert env.text("TOKEN") == "of the file"
    assert env.text("OTHER") == "given"
    assert env.text("NEITHER", "default") == "default"


def test_empty_value_counts_as_not_set() -> None:
    env = Environment({"NAME": "", "FLAG": " ", "LIST": " a, ,b ", "NAME_FILE": ""})

    assert env.text("NAME", "default") == "default"
    assert env.flag("FLAG", default=True) is True
    assert env.strings("LIST") == ["a", "b"]


READS: list[tuple[str, str, Callable[[Environment], Any]]] = [
    ("DEBUG", "yes", lambda env: env.flag("DEBUG")),
    ("PORT", "eighty", lambda env: env.number("PORT", 8000, 65_535)),
    ("PORT", "99999", lambda env: env.number("PORT", 8000, 65_535)),
    ("WEB_THREADS", "5000", lambda env: env.number("WEB_THREADS", 4, 1_000)),
    ("LOG_FORMAT", "xml", lambda env: env.choice("LOG_FORMAT", ("json",), "json")),
    ("BASE_URL", "board.example.org", lambda env: env.web_url("BASE_URL")),
    ("BASE_URL", "https://[::1", lambda env: env.web_url("BASE_URL")),
    ("BASE_URL", "https://x:99999", lambda env: env.web_url("BASE_URL")),
    ("BASE_URL", "https://:8000", lambda env: env.web_url("BASE_URL")),
    ("OIDC_ISSUER", "http://login.example.org", lambda env: env.secure_url("OIDC_ISSUER")),
    ("OIDC_ISSUER", f"https://a.example/{'x' * 200}", lambda env: env.secure_url("OIDC_ISSUER")),
    ("ALLOWED_HOSTS", "https://board.example", lambda env: env.hosts("ALLOWED_HOSTS")),
    ("ALLOWED_HOSTS", "a.example,board.example:443", lambda env: env.hosts("ALLOWED_HOSTS")),
    ("ALLOWED_HOSTS", "::1", lambda env: env.hosts("ALLOWED_HOSTS")),
    ("CSRF_TRUSTED_ORIGINS", "studio.example", lambda env: env.origins("CSRF_TRUSTED_ORIGINS")),
    (
        "CORS_ALLOWED_ORIGINS",
        "https://*.a.example",
        lambda env: env.origins("CORS_ALLOWED_ORIGINS"),
    ),
    ("CSRF_TRUSTED_ORIGINS", "https://a/b", lambda env: env.origins("CSRF_TRUSTED_ORIGINS")),
    ("EMAIL_FROM", "studio", lambda env: env.mail_sender("EMAIL_FROM", "")),
    ("EMAIL_FROM", "a@b.example\nBcc: c@d.e", lambda env: env.mail_sender("EMAIL_FROM", "")),
    ("DATABASE_URL", "sqlite:///", lambda env: env.database("DATABASE_URL", "")),
    ("DATABASE_URL", "sqlite://:memory:", lambda env: env.database("DATABASE_URL", "")),
    ("DATABASE_URL", "mysql://u:hunter2@db/x", lambda env: env.database("DATABASE_URL", "")),
    ("DATABASE_URL", "postgres://u:hunter2@db", lambda env: env.database("DATABASE_URL", "")),
    ("DATABASE_URL", "postgres://u:p@db:port/x", lambda env: env.database("DATABASE_URL", "")),
    ("CELERY_BROKER_URL", "amqp://hunter2@mq", lambda env: env.broker("CELERY_BROKER_URL", "")),
    ("CELERY_BROKER_URL", "filesystem://broker", lambda env: env.broker("CELERY_BROKER_URL", "")),
    ("CACHE_URL", "memcached://cache", lambda env: env.cache("CACHE_URL", "")),
    ("EMAIL_URL", "mail.example.org", lambda env: env.email("EMAIL_URL", "")),
    ("TOKEN_FILE", "/nowhere/at/all", lambda env: env.text("TOKEN")),
]


@pytest.mark.parametrize(("name", "value", "read"), READS)
def test_wrong_value_is_reported_by_name_and_not_repeated(
    name: str, value: str, read: Callable[[Environment], Any]
) -> None:
    with pytest.raises(SystemExit) as stop:
        read(Environment({name: value}))

    sentence = str(stop.value)
    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert value not in sentence


def test_usual_hosts_origins_and_senders_are_taken() -> None:
    hosts = "board.example.org,.example.org,127.0.0.1,[::1],localhost,*"
    origins = "https://board.example.org,https://*.example.org,http://[::1]:8000"
    sender = "Reelboard <board@example.org>"
    env = Environment({"HOSTS": hosts, "ORIGINS": f"{origins},https://a.b/", "SENDER": sender})

    assert env.hosts("HOSTS") == hosts.split(",")
    assert env.origins("ORIGINS", stars_allowed=True) == [*origins.split(","), "https://a.b"]
    assert env.mail_sender("SENDER", "") == sender
    assert env.mail_sender("NONE", "reelboard@::1") == "reelboard@::1"


def test_variable_and_its_file_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="TOKEN and TOKEN_FILE are both set"):
        Environment({"TOKEN": "a", "TOKEN_FILE": str(tmp_path)}).text("TOKEN")


def test_urls_become_settings() -> None:
    env = Environment(
        {
            "DATABASE_URL": "postgres://board:p%40ss@db.internal:5433/reelboard",
            "CACHE_URL": "redis://cache:6379/1",
            "EMAIL_URL": "smtp+tls://robot:p%2Fw@mail.example.org:587",
        }
    )

    database = env.database("DATABASE_URL", "")
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["PASSWORD"], database["NAME"]) == (
        "db.internal",
        5433,
        "p@ss",
        "reelboard",
    )
    assert env.cache("CACHE_URL", "")["LOCATION"] == "redis://cache:6379/1"
    mail = env.email("EMAIL_URL", "")
    assert (mail["EMAIL_HOST_PASSWORD"], mail["EMAIL_USE_TLS"]) == ("p/w", True)


@pytest.mark.parametrize(
    "command",
    [
        ("python", "manage.py", "check"),
        ("celery", "-A", "dashboard", "worker"),
        ("gunicorn", "dashboard.wsgi", "--bind", "127.0.0.1:0"),
        ("python", "-m", "scripts.supervise"),
    ],
    ids=lambda command: " ".join(command[:4]),
)
def test_every_program_stops_with_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    ended = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=PROJECT_DIR,
        env={"PATH": os.defpath, "VAR_DIR": str(tmp_path), **ENOUGH, "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("SECRET_KEY is not set; ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("VAR_DIR", "{file}"), ("VAR_DIR", "/proc/x"), ("CELERY_BROKER_URL", "filesystem://{file}/x")],
)
def test_folder_that_cannot_be_made_is_reported(name: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    environment = {name: value.format(file=file)}
    with pytest.raises(SystemExit) as stop:
        read_settings(tmp_path, **environment)

    assert stop.value.code == f"{name} names a folder that does not exist and cannot be created."


def test_short_credentials_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        read_settings(tmp_path, CREDENTIALS_KEYS=f"{ENOUGH['CREDENTIALS_KEYS']},short")

    assert stop.value.code == "CREDENTIALS_KEYS contains a key with fewer than 32 characters."


def test_an_issuer_needs_its_client(tmp_path: Path) -> None:
    issuer = {"OIDC_ISSUER": "https://login.example.org/", "OIDC_CLIENT_ID": "board"}
    with pytest.raises(SystemExit) as stop:
        read_settings(tmp_path, **issuer)
    assert stop.value.code == "OIDC_CLIENT_SECRET is not set; use what the issuer gave you."

    found = read_settings(tmp_path, **issuer, OIDC_CLIENT_SECRET="s3cret")
    assert found["OIDC_ISSUER"] == "https://login.example.org"
