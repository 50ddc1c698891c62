from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import JobErrorGroup, Preset, ProviderAccount
from organizations.models import Organization, Role
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account, make_preset

Url = Callable[..., str]


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("harbour-studio", name="Harbour Studio", time_zone="Europe/Berlin")


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return make_account(studio, name="EU main")


@pytest.fixture
def accounts(studio: Organization) -> list[ProviderAccount]:
    return [
        make_account(studio, name=name, provider=provider)
        for name, provider in (("one", "zencoder"), ("two", "zencoder"), ("three", "xvid"))
    ]


@pytest.fixture
def presets(accounts: list[ProviderAccount]) -> list[Preset]:
    return [make_preset(account) for account in accounts for _ in range(2)]


@pytest.fixture
def operator(studio: Organization) -> Client:
    client = Client()
    client.force_login(make_membership(studio, Role.OPERATOR).user)
    return client


@pytest.fixture
def url(studio: Organization) -> Url:
    def build(name: str, group: JobErrorGroup | None = None) -> str:
        arguments = [studio.slug, *([group.pk] if group else [])]
        return reverse(f"insights:{name}", args=arguments)

    return build
