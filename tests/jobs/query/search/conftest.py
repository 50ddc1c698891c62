"""A search of one organization, beside another that has the same jobs."""

from collections.abc import Callable

import pytest

from jobs.models import Job, ProviderAccount
from jobs.query.search.words import split_words, words_condition
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_job

Search = Callable[[str], set[Job]]


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization()


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name="main")


@pytest.fixture
def search(organization: Organization) -> Search:
    def search(text: str) -> set[Job]:
        condition = words_condition(split_words(text), organization.pk)
        return set(Job.objects.for_organization(organization).filter(condition))

    return search


@pytest.fixture
def plain(account: ProviderAccount) -> Callable[..., Job]:
    """Makes jobs that nothing is said of but what a test says."""

    def make(**fields: object) -> Job:
        return make_job(account, **({"name": "", "input_url": "", "remote_id": None} | fields))

    return make
