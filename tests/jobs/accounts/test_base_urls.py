"""Base URLs of accounts: refused when they are saved, by one rule for form, command and admin."""

from collections.abc import Callable
from io import StringIO
from itertools import count
from urllib.parse import urlsplit

import pytest
import responses
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from urllib3.util import parse_url

from jobs.accounts.base_urls import check_base_url
from jobs.models import ProviderAccount
from organizations.models import Role, User
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MALFORMED = [
    "ftp://api.example.com", "api.example.com/v2", "//api.example.com", "http:api.example.com",
    "https:///v2", "https://", "https://u:p@api.example.com", "https://u@api.example.com",
    "https://api.example.com:99999", "https://api.example.com:0", "https://api.example.com:",
    "https://api.example.com:80a", "https://api.example.com:-1", "https://api.example.com:8٠",
    "https://api.example.com/a b", "https://api.example.com/a\tb", "https://api.example.com/\x1b",
    "https://api.example.com/\n.evil.example", "https://api.example.com/#v2",
    "https://api.example.com/?v=2", "https://api.example.com\\@evil.example/",
    "https://api.example.com\\v2", "http:\\\\api.example.com", "https://[::1/x", "https://[bucket]",
    "https://]x[/", "https://[fe80::1%25eth0]/", "https://a／b.example", "https://ａpi.example.com",
    "https://www.exämple.com", "https://api.example.com./v2", "https://.example.com",
    "https://a..example.com", "https://-a.example.com", "https://a_.example..com",
    f"https://{'a' * 64}.example.com", f"https://{'a.' * 127}example.com",
    "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
    "https://1.2.3.4.5/", "https://a.0x7f/", "https://api.example.com/%0a", "https://x/%zz",
    "https://api.example.com/../x", "https://api.example.com/<script>", "https://a b.example.com",
    "https://api.example.com/\u2028a", "https://api.example.com/\u202e", "https://%6c.example.com",
    f"https://api.example.com/{'a' * 500}",
]  # fmt: skip
PRIVATE = [
    "http://localhost:9000/zencoder", "http://LOCALHOST", "http://a.localhost", "http://127.0.0.1",
    "http://10.1.2.3", "http://192.168.0.1:8080/v2", "http://172.16.9.9", "http://169.254.169.254",
    "http://100.64.0.1", "http://0.0.0.0", "http://[::1]", "http://[::ffff:10.0.0.1]",
    "http://[::ffff:7f00:1]/v2", "http://[fe80::1]", "http://[fc00::1]", "http://[64:ff9b::a00:1]",
    "http://224.0.0.1", "http://255.255.255.255", "http://[::]",
]  # fmt: skip


def form(account: ProviderAccount, base_url: str) -> str:
    client = Client()
    client.force_login(make_membership(account.organization, Role.MANAGER).user)
    slug = account.organization.slug
    edit = reverse("jobs:account_edit", args=[slug, account.pk])
    response = client.post(edit, {"base_url": base_url, "api_key": "k-new"})
    return str(response.context["form"].errors.get("base_url", "")) if response.context else ""


def command(account: ProviderAccount, base_url: str) -> str:
    phrase = [
        *("--organization", account.organization.slug, "--provider", "zencoder"),
        *("--name", account.name, "--base-url", base_url, "--credential", "api_key=k-new"),
    ]
    try:
        call_command("add_account", *phrase, stdout=StringIO(), stderr=StringIO())
    except CommandError as error:
        return str(error)
    return ""


def admin(account: ProviderAccount, base_url: str) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser(f"root-{next(SERIAL)}@studio.example"))
    change = reverse("admin:jobs_provideraccount_change", args=[account.pk])
    response = client.post(change, {"base_url": base_url, "enabled": "on", "api_key": "k-new"})
    return str(response.context["errors"]) if response.context else ""


SERIAL = count()
WAYS = [form, command, admin]
Way = Callable[[ProviderAccount, str], str]


@pytest.fixture
def account(db: None) -> ProviderAccount:
    return make_account(make_organization())


@pytest.mark.parametrize("base_url", MALFORMED)
def test_a_malformed_base_url_is_none(base_url: str) -> None:
    with pytest.raises(ValueError, match=r"[.…]$"):
        check_base_url(base_url, allow_private=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_malformed_base_url_is_refused_with_a_sentence(
    account: ProviderAccount, way: Way
) -> None:
    before = (account.base_url, account.credentials)
    for base_url in MALFORMED[::4]:
        assert way(account, base_url), base_url
    account = ProviderAccount.objects.get()
    assert (account.base_url, account.credentials) == before


@pytest.mark.parametrize("way", WAYS)
def test_private_addresses_are_refused_unless_they_are_allowed(
    account: ProviderAccount, way: Way, settings: Settings
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    for base_url in PRIVATE:
        assert "only calls public ones" in way(account, base_url), base_url
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with responses.RequestsMock() as wire:  # nobody is there
        assert way(account, "http://127.0.0.1:9000/zencoder/") == ""
        assert len(wire.calls) == 1
    account.refresh_from_db()
    assert account.base_url == "http://127.0.0.1:9000/zencoder"


@pytest.mark.parametrize("way", WAYS)
def test_a_name_at_a_private_address_is_refused(
    account: ProviderAccount, way: Way, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    found = [(2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: found)
    assert "only calls public ones" in way(account, "https://intranet.example/v2")


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_base_url_needs_the_credentials_again(
    account: ProviderAccount, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(
        credentials={"api_key": "stored", "webhook_secret": "stored"}
    )
    before = account.base_url
    way(account, "https://elsewhere.example/v2")  # without the notification secret
    account.refresh_from_db()
    assert (account.base_url, account.credentials["api_key"]) == (before, "stored")


def test_what_is_accepted_is_kept_in_one_spelling() -> None:
    for text, kept in (
        ("HTTPS://API.Example.COM:0443/v2//", "https://api.example.com:443/v2"),
        ("http://[2001:4860:4860:0::8888]:80", "http://[2001:4860:4860::8888]:80"),
        ("https://xn--bcher-kva.example/a%20b", "https://xn--bcher-kva.example/a%20b"),
    ):
        assert check_base_url(text, allow_private=False) == kept


@given(st.text() | st.from_regex(r"https?://[\x00-\x7f]{0,20}"))
def test_every_text_is_either_refused_with_a_sentence_or_read_alike_by_all(text: str) -> None:
    try:
        kept = check_base_url(text, allow_private=True)
    except ValueError:
        return
    assert urlsplit(kept).hostname == str(parse_url(kept).host).strip("[]")
    assert check_base_url(kept, allow_private=True) == kept
