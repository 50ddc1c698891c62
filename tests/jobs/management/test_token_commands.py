"""`create_api_token`, `list_api_tokens` and `revoke_api_token`."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from jobs.models import ProviderAccount
from organizations.audit.origin import Origin, acting_from
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.factories import make_organization
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def create(organization: Organization, *arguments: str) -> tuple[ApiToken | None, str]:
    options = ["--organization", organization.slug, "--name", "CI", *arguments]
    answer = run_json("create_api_token", *options)
    assert list(answer) == ["token"]
    return ApiToken.authenticate(answer["token"]), answer["token"]


def test_the_printed_token_opens_that_organization(organization: Organization) -> None:
    make_organization("decoy")
    token, _ = create(organization)
    assert token is not None
    assert (token.organization, token.name, token.scope) == (organization, "CI", Scope.READ)
    assert (token.account_ids, token.expires_at) == (None, None)


def test_scope_accounts_and_the_last_day_can_be_chosen(
    organization: Organization, account: ProviderAccount
) -> None:
    make_account(organization)
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC), tick=False) as clock:
        options = ("--scope", "manage", "--account", str(account.pk), "--expires", "2026-05-04")
        token, text = create(organization, *options)
        assert token is not None
        assert (token.scope, token.account_ids) == (Scope.MANAGE, [account.pk])
        clock.move_to(datetime(2026, 5, 4, 23, 59, 59, tzinfo=UTC))
        assert ApiToken.authenticate(text)
        clock.move_to(datetime(2026, 5, 5, tzinfo=UTC))
        assert not ApiToken.authenticate(text)


def test_the_audit_log_names_the_token_without_its_text(organization: Organization) -> None:
    token, text = create(organization)
    entry = AuditEntry.objects.values().get()
    assert (entry["action"], entry["target"]) == ("token.created", str(token))
    assert entry["after"] == {"scope": "read", "accounts": None, "expires_at": None}
    assert text not in str(entry)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"--organization": "nowhere"}, "no organization with the slug 'nowhere'"),
        ({"--name": ""}, "1 to 100 characters"),
        ({"--name": "x" * 101}, "1 to 100 characters"),
        ({"--account": "9" * 30}, "no account with the id 9"),
        ({"--account": "theirs"}, "no account with the id"),
        ({"--expires": "soon"}, "'soon' is not a date"),
        ({"--expires": "9999-12-31"}, "is not a date"),
        ({"--expires": "2020-01-01"}, "is in the past"),
    ],
)
def test_what_cannot_be_made_is_reported(
    organization: Organization, options: dict[str, str], sentence: str
) -> None:
    theirs = make_account(make_organization("decoy"))
    given = {"--organization": organization.slug, "--name": "CI", **options}
    if given.get("--account") == "theirs":
        given["--account"] = str(theirs.pk)
    with pytest.raises(CommandError, match=sentence):
        run("create_api_token", *(text for pair in given.items() for text in pair))
    assert not ApiToken.objects.exists()


def test_tokens_are_listed_and_revoked_once(
    organization: Organization, account: ProviderAccount
) -> None:
    ApiToken.issue(make_organization("decoy"), "theirs")
    kept, kept_text = ApiToken.issue(organization, "kept", Scope.OPERATE, account_ids=[account.pk])
    ended, text = ApiToken.issue(organization, "ended")
    for _ in range(2):
        assert run_json("revoke_api_token", str(ended.pk)) == {"id": str(ended.pk)}
    assert ApiToken.authenticate(text) is None
    assert [entry.target for entry in AuditEntry.objects.filter(action="token.revoked")] == [
        str(ended)
    ]

    with acting_from(Origin("192.0.2.7")):
        ApiToken.authenticate(kept_text)
    first, second = run_json("list_api_tokens", "--organization", organization.slug)["tokens"]
    assert (first["id"], first["state"], first["accounts"]) == (
        *(str(kept.pk), "active"),
        [str(account.pk)],
    )
    assert (second["state"], second["accounts"], second["last_used_at"]) == ("revoked", None, None)
    assert first["last_used_from"] == "192.0.2.7"
    listed = run("list_api_tokens", "--organization", organization.slug)
    assert kept.prefix in listed
    assert "from 192.0.2.7" in listed


@pytest.mark.parametrize("pk", ["0", "-1", "99999999999999999999"])
def test_an_unknown_token_cannot_be_revoked(db: None, pk: str) -> None:
    with pytest.raises(CommandError, match="no API token with the id"):
        run("revoke_api_token", "--", pk)
