from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from organizations.audit.origin import Origin, acting_from
from organizations.models import ApiToken, AuditEntry, Membership, Organization, Role, Scope, User
from tests.factories import make_membership, make_organization, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class TestUser:
    def test_an_address_is_stored_and_read_in_one_spelling(self) -> None:
        user = User.objects.create_user(" Ann.Lee@Harbour.EXAMPLE ")

        assert user.email == "ann.lee@harbour.example"
        assert User.objects.get(pk=user.pk).email == "ann.lee@harbour.example"

    @pytest.mark.parametrize("typed", ["ann@harbour.example", "ANN@Harbour.Example"])
    def test_a_user_is_found_in_any_case(self, typed: str) -> None:
        user = make_user("Ann@harbour.example")
        make_user("anna@harbour.example")

        assert User.objects.get_by_natural_key(typed) == user
        assert User.objects.filter(email__in=[typed]).get() == user

    def test_an_address_is_taken_in_any_case(self) -> None:
        make_user("ann@harbour.example")

        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("ANN@harbour.example")
        with pytest.raises(ValidationError, match="already exists") as refusal:
            User(email="Ann@Harbour.example", password="x").full_clean()
        assert len(refusal.value.messages) == 1

    def test_the_database_itself_refuses_the_same_address_in_another_case(self) -> None:
        make_user("ann@harbour.example")
        other = make_user("bob@harbour.example")

        # past the ORM, as a restored dump or a hand-written statement would go
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE organizations_user SET email = %s WHERE id = %s",
                ["ANN@harbour.example", other.pk],
            )

    def test_without_a_password_nobody_can_sign_in(self) -> None:
        user = User.objects.create_user("ann@harbour.example")

        assert not user.has_usable_password()
        assert not user.check_password("")

    def test_without_an_address_there_is_no_user(self) -> None:
        with pytest.raises(ValueError, match="e-mail"):
            User.objects.create_user("")

    def test_a_superuser_may_use_the_admin_and_a_user_may_not(self) -> None:
        root = User.objects.create_superuser("root@harbour.example", "irrelevant")
        user = make_user()

        assert (root.is_staff, root.is_superuser) == (True, True)
        assert (user.is_staff, user.is_superuser) == (False, False)

    def test_a_person_is_called_by_name_where_there_is_one(self) -> None:
        assert make_user("ann@harbour.example", name="Ann Lee").display_name == "Ann Lee"
        assert make_user("bob@harbour.example").display_name == "bob@harbour.example"


class TestMembership:
    def test_roles_are_ordered(self) -> None:
        assert Role.VIEWER < Role.OPERATOR < Role.MANAGER < Role.OWNER

    def test_an_unknown_role_is_refused_by_the_database(self, studio: Organization) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(organization=studio, user=make_user(), role=15)

    def test_a_user_is_a_member_once(self, studio: Organization, colleague: User) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_membership(studio, Role.OWNER, user=colleague)

    def test_a_slug_is_used_once(self, studio: Organization) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_organization(studio.slug, name="Another")


class TestApiToken:
    def test_the_clear_text_opens_its_organization_and_is_stored_nowhere(
        self, studio: Organization
    ) -> None:
        ApiToken.issue(make_organization(), "decoy", Scope.OPERATE)
        token, text = ApiToken.issue(studio, "CI")

        found = ApiToken.authenticate(text)

        assert found == token
        assert found.organization == studio
        assert text.startswith("rb_")
        assert text.startswith(token.prefix)
        row = ApiToken.objects.filter(pk=token.pk).values().get()
        assert not any(text in str(value) for value in row.values())

    @pytest.mark.parametrize("text", ["", "rb_", "rb_nonsense", "Bearer x", "ünïcode", "x" * 5000])
    def test_any_wrong_text_costs_one_query(
        self, studio: Organization, text: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        ApiToken.issue(studio, "CI")

        with django_assert_num_queries(1):
            assert ApiToken.authenticate(text) is None

    def test_neither_prefix_nor_digest_opens_anything(self, studio: Organization) -> None:
        token, _ = ApiToken.issue(studio, "CI")

        assert ApiToken.authenticate(token.prefix) is None
        assert ApiToken.authenticate(token.digest) is None

    def test_a_revoked_token_is_refused_and_keeps_its_first_time(
        self, studio: Organization
    ) -> None:
        token, text = ApiToken.issue(studio, "CI")
        _, other_text = ApiToken.issue(studio, "nightly")

        token.revoke()
        first = token.revoked_at
        token.revoke()

        assert token.revoked_at == first is not None
        assert ApiToken.authenticate(text) is None
        assert ApiToken.authenticate(other_text) is not None

    def test_an_expired_token_is_refused(self, studio: Organization) -> None:
        expires_at = timezone.now() + timedelta(hours=1)
        _, text = ApiToken.issue(studio, "CI", expires_at=expires_at)

        with time_machine.travel(expires_at - timedelta(seconds=1), tick=False):
            assert ApiToken.authenticate(text) is not None
        with time_machine.travel(expires_at, tick=False):
            assert ApiToken.authenticate(text) is None

    def test_its_use_is_noted_every_ten_minutes_and_not_on_every_request(
        self, studio: Organization, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        token, text = ApiToken.issue(studio, "CI")
        start = timezone.now()

        with time_machine.travel(start, tick=False):
            ApiToken.authenticate(text)
        with (
            time_machine.travel(start + timedelta(minutes=9), tick=False),
            django_assert_num_queries(1),
        ):
            ApiToken.authenticate(text)
        token.refresh_from_db()
        assert token.last_used_at == start

        with time_machine.travel(start + timedelta(minutes=10), tick=False):
            ApiToken.authenticate(text)
        token.refresh_from_db()
        assert token.last_used_at == start + timedelta(minutes=10)

    def test_another_address_is_noted_after_a_minute(self, studio: Organization) -> None:
        token, text = ApiToken.issue(studio, "CI")
        start = timezone.now()
        for seconds, address, noted in (
            (0, "192.0.2.1", "192.0.2.1"),
            (59, "192.0.2.2", "192.0.2.1"),
            (60, "192.0.2.2", "192.0.2.2"),
            (180, "192.0.2.2", "192.0.2.2"),
        ):
            moment = start + timedelta(seconds=seconds)
            with time_machine.travel(moment, tick=False), acting_from(Origin(address)):
                ApiToken.authenticate(text)
            token.refresh_from_db()
            assert token.last_used_from == noted
        assert token.last_used_at == start + timedelta(seconds=60)

    def test_an_unknown_scope_is_refused_by_the_database(self, studio: Organization) -> None:
        token, _ = ApiToken.issue(studio, "CI")

        with pytest.raises(IntegrityError), transaction.atomic():
            ApiToken.objects.filter(pk=token.pk).update(scope="root")


class TestAuditEntry:
    def test_it_says_who_did_what_to_what(self, studio: Organization, colleague: User) -> None:
        token, _ = ApiToken.issue(studio, "CI")
        AuditEntry.record(
            studio, "job.cancelled", "job 7", actor=colleague, details={"was": "queued"}
        )
        AuditEntry.record(studio, "job.submitted", "job 8", token=token)
        AuditEntry.record(studio, "account.added", "main")
        AuditEntry.record(make_organization(), "account.added", "a decoy")

        entries = AuditEntry.objects.for_organization(studio)

        assert [(entry.actor_name, entry.action, entry.target) for entry in entries] == [
            ("command line", "account.added", "main"),
            ("token:CI", "job.submitted", "job 8"),
            ("cem@harbour.example", "job.cancelled", "job 7"),
        ]
        assert entries[2].details == {"was": "queued"}

    def test_a_long_name_is_cut_and_does_not_stop_the_action(self, studio: Organization) -> None:
        entry = AuditEntry.record(studio, "job.submitted", "clip" * 100)

        entry.full_clean()
        assert entry.target == "clip" * 50

    def test_it_outlives_the_user_and_the_token_by_name(
        self, studio: Organization, colleague: User
    ) -> None:
        token, _ = ApiToken.issue(studio, "CI")
        ids = colleague.pk, token.pk
        by_user = AuditEntry.record(studio, "job.cancelled", "job 7", actor=colleague)
        by_token = AuditEntry.record(studio, "job.cancelled", "job 8", token=token)

        colleague.delete()
        token.delete()

        for entry in (by_user, by_token):
            entry.refresh_from_db()
        assert (by_user.actor_id, by_user.actor_name) == (ids[0], "cem@harbour.example")
        assert (by_token.token_id, by_token.actor_name) == (ids[1], "token:CI")
