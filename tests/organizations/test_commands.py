import json
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from organizations.management.reporting import Report, ReportingCommand
from organizations.models import AuditEntry, Invitation, Membership, Organization, Role, User
from tests.factories import make_membership, make_user


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> dict[str, Any]:
    lines = run(*arguments, "--json").splitlines()
    assert len(lines) == 1
    answer: dict[str, Any] = json.loads(lines[0])
    return answer


@pytest.mark.django_db
class TestCreateOrganization:
    def test_it_makes_an_organization_and_names_its_address(self) -> None:
        answer = run_json("create_organization", "--name", "Harbour Studio")

        assert answer == {"slug": "harbour-studio", "created": True, "password_set_url": None}
        assert Organization.objects.get().name == "Harbour Studio"
        assert AuditEntry.objects.get().action == "organization.created"

    def test_the_slug_can_be_chosen(self) -> None:
        text = run("create_organization", "--name", "東京", "--slug", "tokyo")

        assert "/o/tokyo/" in text
        assert Organization.objects.get().slug == "tokyo"

    def test_the_same_slug_again_changes_nothing(self, studio: Organization) -> None:
        answer = run_json("create_organization", "--name", "Renamed", "--slug", studio.slug)

        assert answer["slug"] == studio.slug
        assert answer["created"] is False
        studio.refresh_from_db()
        assert studio.name == "Harbour Studio"
        assert not AuditEntry.objects.exists()

    @time_machine.travel("2026-03-02T09:15:00Z", tick=False)  # a link holds the second it is of
    def test_an_unknown_owner_becomes_a_user_who_gets_a_link(self) -> None:
        answer = run_json(
            "create_organization", "--name", "Harbour", "--owner", "Ann@Harbour.Example"
        )

        membership = Membership.objects.get()
        assert membership.user.email == "ann@harbour.example"
        assert membership.role == Role.OWNER
        assert answer["password_set_url"].startswith(settings.BASE_URL)
        assert answer["password_set_url"] in run(
            "create_organization", "--name", "Harbour", "--owner", "ann@harbour.example"
        )

    def test_a_known_owner_keeps_the_password_and_gets_no_link(self) -> None:
        user = make_user("ann@harbour.example")

        answer = run_json(
            "create_organization", "--name", "Harbour", "--owner", "ANN@harbour.example"
        )

        assert answer["password_set_url"] is None
        assert Membership.objects.get().user == user
        assert User.objects.get().password == user.password

    def test_a_member_named_owner_becomes_one_once(self, studio: Organization) -> None:
        user = make_membership(studio, Role.VIEWER).user
        bystander = make_membership(studio, Role.VIEWER)
        arguments = ["create_organization", "--name", studio.name, "--slug", studio.slug]

        run(*arguments, "--owner", user.email)
        run(*arguments, "--owner", user.email)

        assert Membership.objects.get(user=user).role == Role.OWNER
        bystander.refresh_from_db()
        assert bystander.role == Role.VIEWER
        assert [entry.action for entry in AuditEntry.objects.all()] == ["member.made_owner"]

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--name", "東京"], "slug"),
            (["--name", "Harbour", "--slug", "not a slug"], "slug"),
            (["--name", "x" * 101, "--slug", "x"], "100 characters"),
            (["--name", "Harbour", "--owner", "ann"], "'ann' is not an e-mail address"),
        ],
    )
    def test_what_cannot_be_made_is_reported_and_leaves_nothing(
        self, arguments: list[str], sentence: str
    ) -> None:
        with pytest.raises(CommandError, match=sentence):
            run("create_organization", *arguments)

        assert not Organization.objects.exists()
        assert not User.objects.exists()


@pytest.mark.django_db
class TestInviteMember:
    def test_the_printed_link_opens_and_the_audit_log_does_not_hold_it(
        self, studio: Organization, client: Client
    ) -> None:
        arguments = ("--organization", studio.slug, "--email", "Ann@Guest.example")
        answer = run_json("invite_member", *arguments, "--role", "manager")

        assert list(answer) == ["link"]
        assert answer["link"].startswith(settings.BASE_URL)
        path = urlsplit(answer["link"]).path
        assert "ann@guest.example" in client.get(path).content.decode()
        assert Invitation.objects.get().role == Role.MANAGER
        entry = AuditEntry.objects.values().get()
        assert (entry["action"], entry["actor_name"]) == ("invitation.sent", "command line")
        assert path.rpartition("/")[0].rpartition("/")[2] not in str(entry)

    @pytest.mark.parametrize(
        ("slug", "email", "sentence"),
        [
            ("nowhere", "ann@guest.example", "no organization with the slug 'nowhere'"),
            ("harbour-studio", "ann", "'ann' is not an e-mail address"),
            ("harbour-studio", "CEM@harbour.example", "cem@harbour.example is a member already"),
        ],
    )
    def test_who_cannot_be_invited_is_reported(
        self, studio: Organization, colleague: User, slug: str, email: str, sentence: str
    ) -> None:
        with pytest.raises(CommandError, match=sentence):
            run("invite_member", "--organization", slug, "--email", email, "--role", "viewer")

        assert not Invitation.objects.exists()


class PartlyFailing(ReportingCommand):
    requires_system_checks = []

    def run(self, **options: Any) -> Report:
        return Report(["one of two"], {"done": 1}, failure="The other account failed.")


def test_a_report_with_a_failure_is_printed_before_the_command_fails() -> None:
    out = StringIO()

    with pytest.raises(CommandError, match="The other account failed"):
        call_command(PartlyFailing(), "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"done": 1}


def test_from_the_shell_a_failure_is_its_sentence_and_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        PartlyFailing().run_from_argv(["manage.py", "partly_failing"])

    printed = capsys.readouterr()
    assert end.value.code == 1
    assert printed.out == "one of two\n"
    assert printed.err == "The other account failed.\n"


class WithoutDatabase(ReportingCommand):
    requires_system_checks = []

    def run(self, **options: Any) -> Report:
        raise OperationalError("connection refused\nIs the server running on that host?")


def test_a_database_that_is_not_there_is_reported_in_one_sentence() -> None:
    with pytest.raises(CommandError) as failure:
        call_command(WithoutDatabase())

    assert str(failure.value) == (
        "The database cannot be used (connection refused); is it running and migrated?"
    )


def test_from_the_shell_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        PartlyFailing().run_from_argv(["manage.py", "partly_failing", "--jason"])

    assert end.value.code == 2
    assert capsys.readouterr().out == ""
