"""The pages that machines watch."""

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


def test_healthz_answers_without_a_database(client: Client) -> None:
    # Without the `db` fixture pytest-django refuses every query.
    assert client.get("/healthz").status_code == 200


@pytest.mark.database
@pytest.mark.django_db
def test_readyz_wants_every_migration(client: Client) -> None:
    assert client.get("/readyz").status_code == 200

    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "has not been migrated" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_platform_may_ask_by_address_and_without_tls(
    client: Client, settings: LazySettings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["board.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = "s3cret"
    asked = {"host": "10.1.2.3:8000", "authorization": "Bearer s3cret"}

    assert client.get(path, headers=asked).status_code == 200
    asked["host"] = "board.example.org"
    assert client.get("/accounts/login/", headers=asked).status_code == 301


def test_metrics_are_not_there_without_a_token(client: Client) -> None:
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Bearer wröng", "s3cret"])
def test_metrics_are_not_there_for_a_wrong_token(
    client: Client, settings: LazySettings, header: str
) -> None:
    settings.METRICS_TOKEN = "s3cret"

    assert client.get("/metrics", HTTP_AUTHORIZATION=header).status_code == 404
