"""What the tests of the mirror share: a provider at the wire, and an account that uses it."""

from collections.abc import Iterator

import pytest

from jobs.models import ProviderAccount
from organizations.models import Organization
from providers.zencoder import adapter
from tests.factories import make_organization
from tests.jobs.factories import make_account
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
