"""What the tests of the mirror share: a provider and a store at the wire, and an account."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.models import ProviderAccount
from organizations.models import Organization, Role, User
from providers.zencoder import adapter
from tests.factories import make_membership, make_organization
from tests.jobs.factories import BUCKET_KEY_ID, BUCKET_SECRET, make_account
from tests.jobs.fake_zencoder import PAGE_SIZE, FakeZencoder, serve


@pytest.fixture
def zencoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeZencoder]:
    monkeypatch.setattr(adapter, "PAGE_SIZE", PAGE_SIZE)
    yield from serve(FakeZencoder())


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization()


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    """Imported, and with no limit of its own that a test could run into."""
    return make_account(organization, name="main", options={"requests_per_minute": "100000"})


@pytest.fixture
def operator(account: ProviderAccount) -> User:
    return make_membership(account.organization, Role.OPERATOR).user


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    # half of a test's imports, which few tests need
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_url: str, settings: Any) -> Any:
    """A client of the server, whose bucket `ingest` is empty."""
    settings.ALLOW_PRIVATE_ADDRESSES = True
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="us-east-1",
        aws_access_key_id=BUCKET_KEY_ID,
        aws_secret_access_key=BUCKET_SECRET,
    )
    client.create_bucket(Bucket="ingest")
    for one in client.list_objects_v2(Bucket="ingest").get("Contents", ()):
        client.delete_object(Bucket="ingest", Key=one["Key"])
    return client
