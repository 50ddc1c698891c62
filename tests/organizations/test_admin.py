from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from organizations.models import ApiToken, AuditEntry, Organization, User
from organizations.pagination import COUNT_CAP, CappedPaginator
from tests.factories import PASSWORD, make_user

pytestmark = [
    pytest.mark.django_db,
    # Django's own admin templates use variables that may be missing
    pytest.mark.ignore_template_errors,
]

SignIn = Callable[[User], Client]


@pytest.fixture
def admin(signed_in: SignIn) -> Client:
    return signed_in(User.objects.create_superuser("root@harbour.example", "irrelevant"))


@pytest.mark.parametrize("model", ["user", "organization", "membership", "apitoken", "auditentry"])
def test_every_list_opens_and_searches_without_counting_the_whole(
    admin: Client, studio: Organization, colleague: User, model: str
) -> None:
    ApiToken.issue(studio, "CI")
    AuditEntry.record(studio, "account.added", "main")

    response = admin.get(reverse(f"admin:organizations_{model}_changelist"), {"q": "harbour"})

    assert response.status_code == 200
    assert response.context["cl"].full_result_count is None


def test_a_user_is_added_by_e_mail_with_a_password(admin: Client) -> None:
    form = {
        "email": "Ann@Harbour.example",
        "name": "Ann Lee",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }

    admin.post(reverse("admin:organizations_user_add"), form)

    assert User.objects.get(email="ann@harbour.example").check_password(PASSWORD)


def test_a_user_is_added_without_a_password_until_they_set_one(admin: Client) -> None:
    form = {
        "email": "ann@harbour.example",
        "name": "",
        "usable_password": "false",
        "password1": "",
        "password2": "",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }

    admin.post(reverse("admin:organizations_user_add"), form)

    assert not User.objects.get(email="ann@harbour.example").has_usable_password()


def test_an_address_taken_in_another_case_is_reported_at_the_field(admin: Client) -> None:
    make_user("ann@harbour.example")
    form = {
        "email": "ANN@harbour.example",
        "name": "",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }

    page = admin.post(reverse("admin:organizations_user_add"), form)

    assert page.context["adminform"].form.errors["email"] == [
        "A user with this e-mail address already exists."
    ]


def test_a_password_hash_is_not_shown_whole(admin: Client, colleague: User) -> None:
    page = admin.get(reverse("admin:organizations_user_change", args=[colleague.pk]))

    assert colleague.email in page.content.decode()
    assert colleague.password not in page.content.decode()


def test_a_token_is_shown_without_its_digest_and_cannot_be_made(
    admin: Client, studio: Organization
) -> None:
    token, text = ApiToken.issue(studio, "CI")

    listed = admin.get(reverse("admin:organizations_apitoken_changelist")).content.decode()
    shown = admin.get(
        reverse("admin:organizations_apitoken_change", args=[token.pk])
    ).content.decode()

    for page in (listed, shown):
        assert token.prefix in page
        assert token.digest not in page
        assert text not in page
    assert admin.get(reverse("admin:organizations_apitoken_add")).status_code == 403


def test_selected_tokens_are_revoked_and_that_is_audited(
    admin: Client, studio: Organization
) -> None:
    chosen, _ = ApiToken.issue(studio, "CI")
    other, _ = ApiToken.issue(studio, "nightly")

    admin.post(
        reverse("admin:organizations_apitoken_changelist"),
        {"action": "revoke", "_selected_action": [str(chosen.pk)]},
    )

    chosen.refresh_from_db()
    other.refresh_from_db()
    assert chosen.revoked_at is not None
    assert other.revoked_at is None
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.action) == ("root@harbour.example", "token.revoked")


def test_the_audit_trail_can_only_be_read(admin: Client, studio: Organization) -> None:
    entry = AuditEntry.record(studio, "account.added", "main")

    def answer(page: str, *args: int) -> int:
        return admin.post(reverse(f"admin:organizations_auditentry_{page}", args=args)).status_code

    assert answer("add") == 403
    assert answer("change", entry.pk) == 403
    assert answer("delete", entry.pk) == 403
    assert (
        admin.get(reverse("admin:organizations_auditentry_change", args=[entry.pk])).status_code
        == 200
    )


def test_the_admin_is_entered_through_our_sign_in(client: Client) -> None:
    response = client.get(reverse("admin:login"), {"next": "/admin/"})

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_members_who_are_no_staff_are_refused(owner: User, signed_in: SignIn) -> None:
    assert signed_in(owner).get(reverse("admin:login")).status_code == 403


def test_a_long_list_is_counted_to_the_cap_only(
    studio: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    AuditEntry.record(studio, "account.added", "main")
    paginator = CappedPaginator(AuditEntry.objects.order_by("pk"), 100)

    with django_assert_num_queries(1) as queries:
        assert paginator.count == 1

    assert f"LIMIT {COUNT_CAP}" in queries.captured_queries[0]["sql"]
