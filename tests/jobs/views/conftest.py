"""One organization with its accounts and jobs, members of each kind, and a stranger's own."""

from collections.abc import Callable

import pytest
from django.test import Client

from jobs.models import Job, ProviderAccount
from organizations.models import Organization, Role, User
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import make_account, make_job


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("harbour-studio", name="Harbour Studio")


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return make_account(studio, name="Zencoder main")


@pytest.fixture
def job(account: ProviderAccount) -> Job:
    return make_job(account, remote_id="881200", name="harbour-at-dawn.mov")


@pytest.fixture
def foreign_job() -> Job:
    """A stranger's job, with the very id that ours has at its provider."""
    return make_job(make_account(make_organization("elsewhere")), remote_id="881200")


@pytest.fixture
def sign_in(studio: Organization) -> Callable[[Role | None], Client]:
    """A client of a member in the role; of somebody who is no member for None."""

    def of(role: Role | None) -> Client:
        user: User = make_user() if role is None else make_membership(studio, role).user
        client = Client()
        client.force_login(user)
        return client

    return of


@pytest.fixture
def viewer(sign_in: Callable[[Role | None], Client]) -> Client:
    return sign_in(Role.VIEWER)


@pytest.fixture
def operator(sign_in: Callable[[Role | None], Client]) -> Client:
    return sign_in(Role.OPERATOR)


@pytest.fixture
def manager(sign_in: Callable[[Role | None], Client]) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def owner(sign_in: Callable[[Role | None], Client]) -> Client:
    return sign_in(Role.OWNER)


@pytest.fixture
def stranger(sign_in: Callable[[Role | None], Client]) -> Client:
    return sign_in(None)
