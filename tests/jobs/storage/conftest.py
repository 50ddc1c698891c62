"""An organization with a location that is stored for a bucket."""

import pytest

from jobs.models import StoredLocation
from organizations.models import Organization, User
from tests.factories import make_organization, make_user


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
