"""One organization with a member of each kind, and a stranger who has one of their own."""

from collections.abc import Callable

import pytest
from django.test import Client

from organizations.models import Organization, Role, User
from tests.factories import make_membership, make_organization, make_user


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("harbour-studio", name="Harbour Studio")


@pytest.fixture
def owner(studio: Organization) -> User:
    return make_membership(studio, Role.OWNER, user=make_user("olga@harbour.example")).user


@pytest.fixture
def manager(studio: Organization) -> User:
    return make_membership(studio, Role.MANAGER, user=make_user("mika@harbour.example")).user


@pytest.fixture
def colleague(studio: Organization) -> User:
    return make_membership(studio, Role.OPERATOR, user=make_user("cem@harbour.example")).user


@pytest.fixture
def viewer(studio: Organization) -> User:
    return make_membership(studio, Role.VIEWER, user=make_user("vera@harbour.example")).user


@pytest.fixture
def stranger(db: None) -> User:
    other = make_organization("elsewhere", name="Elsewhere")
    return make_membership(other, Role.OWNER, user=make_user("sten@elsewhere.example")).user


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
