"""The same account of a provider that was added twice, as its key or its jobs show."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.accounts.duplicates import describe_duplicates, find_duplicates
from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = pytest.mark.django_db

KEY = {"api_key": "0123456789abcdef"}


@pytest.fixture
def studio() -> Organization:
    return make_organization()


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return make_account(studio, name="EU main", credentials=KEY)


def names(account: ProviderAccount) -> list[str]:
    found = find_duplicates(account, ProviderAccount.objects.all())
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("fields", "is_same"),
    [
        ({"credentials": KEY}, True),
        ({"credentials": {**KEY, "webhook_secret": "another"}}, True),
        ({"credentials": {"api_key": "another"}}, False),
        ({"credentials": {}}, False),
        ({"credentials": KEY, "base_url": "https://sandbox.example/api/v2"}, False),
        ({"credentials": KEY, "provider": "videosdk"}, False),
    ],
)
def test_the_same_key_at_the_same_place_is_the_same_account(
    account: ProviderAccount, fields: dict[str, Any], is_same: bool
) -> None:
    other = make_account(account.organization, name="EU again", **fields)
    assert names(account) == (["EU again"] if is_same else [])
    assert names(other) == (["EU main"] if is_same else [])


@pytest.mark.parametrize(("option", "is_same"), [("6dnpyx", True), ("7eoqza", False)])
def test_one_key_may_open_several_accounts_that_an_option_tells_apart(
    studio: Organization, option: str, is_same: bool
) -> None:
    made = [
        make_account(
            studio,
            provider="tpstreams",
            credentials={"token": "t-123"},
            options={"organization_id": one},
        )
        for one in ("6dnpyx", option)
    ]
    assert bool(names(made[0])) == is_same


def test_a_shared_secret_of_deliveries_says_nothing(studio: Organization) -> None:
    made = [
        make_account(studio, credentials={"api_key": key, "webhook_secret": "the same"})
        for key in ("one", "two")
    ]
    assert names(made[0]) == []


def test_the_same_jobs_give_it_away_whatever_the_key(account: ProviderAccount) -> None:
    other = make_account(account.organization, name="New key", credentials={"api_key": "another"})
    third = make_account(account.organization, name="Third", credentials={"api_key": "third"})
    for number in range(10):
        at = NOON - timedelta(hours=number)
        make_job(account, remote_id=str(7000 + number), created_at=at)
        # it has not read the newest ones so far
        if number > 3:
            make_job(other, remote_id=str(7000 + number), created_at=at)
    make_job(third, remote_id="7009")
    assert names(account) == ["New key"]
    assert set(names(other)) == {"EU main"}


def test_other_organizations_and_what_a_caller_may_not_see_are_never_named(
    account: ProviderAccount,
) -> None:
    make_account(make_organization(), name="Elsewhere", credentials=KEY)
    assert names(account) == []
    hidden = make_account(account.organization, name="Hidden", credentials=KEY)
    visible = ProviderAccount.objects.exclude(pk=hidden.pk)
    assert find_duplicates(account, visible) == []


def test_a_lost_key_is_no_reason_to_fail(account: ProviderAccount, settings: Any) -> None:
    make_account(account.organization, credentials=KEY)
    settings.CREDENTIALS_KEYS = ["a-new-key-after-the-old-one-was-lost"]
    assert find_duplicates(account, ProviderAccount.objects.all()) == []


def test_the_notice_names_all_of_them(account: ProviderAccount) -> None:
    for name in ("Again", "Once more"):
        make_account(account.organization, name=name, credentials=KEY)
    found = find_duplicates(account, ProviderAccount.objects.all())
    text = describe_duplicates(account, found)
    assert text.startswith("This is the same Zencoder account as “Again” and “Once more”:")
    assert describe_duplicates(account, []) == ""
    assert KEY["api_key"] not in text
