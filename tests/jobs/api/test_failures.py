"""What fails on our side is answered in JSON and logged with its reason."""

import logging
from typing import Any

import pytest

from jobs.models import JobBody
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db


def test_a_failure_of_ours_is_told_in_json_and_logged(
    reader: ApiClient, account: Any, caplog: pytest.LogCaptureFixture
) -> None:
    job = make_job(account)
    JobBody.objects.create(job=job, compressed=b"no zlib stream", stored_at=NOON)
    answer = reader.get(f"/jobs/{job.pk}/raw")
    assert (answer.status, answer.body["error"]["code"]) == (500, "failure")
    (record,) = [record for record in caplog.records if record.name == "jobs.api.http.json_api"]
    assert record.levelno == logging.ERROR
    assert record.exc_info


def test_a_cache_that_is_down_does_not_close_the_api(
    reader: ApiClient, account: Any, settings: Any
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    assert reader.get("/accounts").status == 200


def test_credentials_that_cannot_be_read_break_no_reading(
    reader: ApiClient, organization: Any, settings: Any
) -> None:
    account = make_account(organization)
    job = make_job(account)
    settings.CREDENTIALS_KEYS = ["another-key-that-opens-none-of-what-is-stored"]
    for path in ("/jobs", f"/jobs/{job.pk}", "/accounts", f"/accounts/{account.pk}"):
        assert reader.get(path).status == 200
