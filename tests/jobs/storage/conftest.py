"""An S3 server with a bucket, and a location that is stored for it."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from jobs.models import StoredLocation
from organizations.models import Organization, User
from tests.factories import make_organization, make_user

KEY_ID, SECRET = "AKIACANARYKEYID00000", "canary/secret+of/the+bucket"


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_url: str, settings: Any) -> Any:
    """A client of the server, whose bucket `ingest` is empty."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    client = boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="ingest")
    for one in client.list_objects_v2(Bucket="ingest").get("Contents", ()):
        client.delete_object(Bucket="ingest", Key=one["Key"])
    return client


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("harbour-studio")


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def location(studio: Organization, s3_url: str) -> StoredLocation:
    return StoredLocation(
        organization=studio,
        name="ingest-studio",
        is_source=True,
        is_destination=True,
        endpoint=s3_url,
        region="us-east-1",
        bucket="ingest",
        prefix="2026",
    )
