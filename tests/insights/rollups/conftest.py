import pytest

from jobs.models import Preset, ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import make_account, make_preset


@pytest.fixture
def accounts(studio: Organization) -> list[ProviderAccount]:
    return [make_account(studio, name=name) for name in ("one", "two", "three")]


@pytest.fixture
def presets(accounts: list[ProviderAccount]) -> list[Preset]:
    return [make_preset(account) for account in accounts for _ in range(2)]
