"""Every page and action, tried by every role, a stranger and somebody signed out.

Made from the URLs and the table of permissions: a new page is covered by being there.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from jobs.models import Job, JobAction, Output, ProviderAccount, SavedView, Submission
from organizations.models import ApiToken, AuditEntry, Membership, Organization, Role
from organizations.permissions import Permission, role_allows
from tests.factories import make_invitation, make_membership
from tests.jobs.factories import (
    make_account,
    make_batch,
    make_body,
    make_bulk,
    make_delivery,
    make_job,
    make_location,
    make_note,
    make_output,
    make_preset,
    make_rule,
    make_template,
)


def find_pages(
    resolver: URLResolver, before: str = "", space: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Those of an organization, wherever in the URLs they are, by the name that reverses to it."""
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from find_pages(one, route, one.namespace or space)
        elif "<slug:org>" in route:
            assert route.startswith("o/<slug:org>/")
            yield f"{space}:{one.name}".removeprefix("jobs:"), one


PAGES = dict(find_pages(get_resolver()))
# What a URL's `pk` belongs to, by what is before it.
OWNERS = {"jobs": "job", "accounts": "account"}


def permission_of(name: str, method: str) -> Permission:
    declared = vars(PAGES[name].callback)
    permission: Permission = declared["permission" if method == "get" else "permission_to_change"]
    return permission


@pytest.fixture
def url_of(studio: Organization, job: Job, account: ProviderAccount) -> Callable[[str], str]:
    make_body(job, {"id": 881200})
    group = make_job(account, status="failed", remote_id="881299").error_group
    assert group is not None
    other = make_job(account, status="failed", remote_id="881300")
    ids = {
        "job": job.pk,
        "account": account.pk,
        "output": make_output(job).pk,
        "preset": make_preset(account).pk,
        "delivery": make_delivery(account).pk,
        "membership": make_membership(studio, Role.OWNER).pk,
        "invitation": make_invitation(studio).pk,
        "token": ApiToken.issue(studio, "CI")[0].pk,
        "group": group.pk,
        "location": make_location(studio).pk,
        "template": make_template(studio).template_id,
        "rule": make_rule(studio).pk,
        "bulk": make_bulk(other, account_ids=None).pk,
        "batch": make_batch(account, state="stopped", total=1).pk,
    }
    people = Membership.objects.filter(organization=studio)

    def own_view() -> int:
        """Of whoever signed in: only shared views are anybody else's."""
        person = people.exclude(pk=ids["membership"]).order_by("-pk").first() or people.get()
        view, _ = SavedView.objects.get_or_create(
            organization=studio, owner=person.user, name="Failed"
        )
        return view.pk

    def own_note() -> int:
        """Of whoever signed in, since only its author may change one."""
        person = people.exclude(pk=ids["membership"]).order_by("-pk").first() or people.get()
        return make_note(job, person.user).pk

    made = {"view": own_view, "note": own_note}

    def build(name: str) -> str:
        route = str(PAGES[name].pattern)
        values: dict[str, object] = {"org": studio.slug}
        for before, parameter in re.findall(r"(\w+)/<int:(\w+)>", route):
            owner = OWNERS[before] if parameter == "pk" else parameter.removesuffix("_pk")
            values[parameter] = made[owner]() if owner in made else ids[owner]
        path = reverse(name if ":" in name else f"jobs:{name}", kwargs=values)
        return f"{path}?provider=zencoder" if name == "account_new" else path

    return build


def assert_nothing_was_done() -> None:
    for model in (JobAction, Submission, AuditEntry):
        assert not model._default_manager.exists()


@pytest.mark.parametrize("name", PAGES)
def test_a_role_may_do_what_the_table_says(
    sign_in: Callable[[Role | None], Client], url_of: Callable[[str], str], name: str
) -> None:
    for role in Role:
        with transaction.atomic():  # each finds what another one may have deleted
            check_role(role, sign_in(role), url_of(name), name)
            transaction.set_rollback(True)


def check_role(role: Role, client: Client, url: str, name: str) -> None:
    answers = {method: getattr(client, method)(url).status_code for method in ("get", "post")}
    answers = {method: status for method, status in answers.items() if status != 405}
    assert answers, role
    for method, status in answers.items():
        if role_allows(role, permission_of(name, method)):
            assert status not in {403, 404, 500}, role
        else:
            assert status == 403, role
    if answers.get("post") == 403:
        assert_nothing_was_done()


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_finds_nothing_and_can_do_nothing(
    stranger: Client, url_of: Callable[[str], str], name: str
) -> None:
    url = url_of(name)
    answers = {stranger.get(url).status_code, stranger.post(url).status_code}
    assert answers - {405} == {404}
    assert_nothing_was_done()


@pytest.mark.parametrize("name", PAGES)
def test_nobody_changes_anything_by_a_get(
    owner: Client, url_of: Callable[[str], str], name: str
) -> None:
    url = url_of(name)
    before = list(Job.objects.order_by("pk").values("version", "error_group__state"))
    assert owner.get(url).status_code in {200, 204, 302, 405}
    assert_nothing_was_done()
    assert list(Job.objects.order_by("pk").values("version", "error_group__state")) == before


@pytest.mark.parametrize("name", PAGES)
def test_somebody_signed_out_is_sent_to_sign_in(
    client: Client, url_of: Callable[[str], str], name: str
) -> None:
    path = url_of(name)
    response = client.get(path)
    response = client.post(path) if response.status_code == 405 else response
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")

    polled = client.get(path, headers={"HX-Request": "true"})
    if polled.status_code != 405:
        assert (polled.status_code, polled["HX-Refresh"]) == (401, "true")


@pytest.mark.parametrize("name", ["detail", "raw", "input_open"])
def test_a_job_of_another_organization_is_not_there(
    viewer: Client, studio: Organization, foreign_job: Job, name: str
) -> None:
    assert (
        viewer.get(reverse(f"jobs:{name}", args=[studio.slug, foreign_job.pk])).status_code == 404
    )


def test_an_output_of_another_job_is_not_there(
    viewer: Client, studio: Organization, job: Job, foreign_job: Job
) -> None:
    for other in (make_job(job.account), foreign_job):
        output: Output = make_output(other)
        path = reverse("jobs:output_open", args=[studio.slug, job.pk, output.pk])
        assert viewer.get(path).status_code == 404


def test_an_account_of_another_organization_cannot_be_touched(
    manager: Client, studio: Organization, foreign_job: Job
) -> None:
    path = reverse("jobs:account_pause", args=[studio.slug, foreign_job.account_id])
    assert manager.post(path).status_code == 404
    assert ProviderAccount.objects.get(pk=foreign_job.account_id).enabled
    assert make_account(studio).enabled


@pytest.mark.parametrize("name", ["deliveries", "delivery"])
def test_deliveries_of_another_organization_are_not_there(
    manager: Client, studio: Organization, account: ProviderAccount, foreign_job: Job, name: str
) -> None:
    theirs = make_delivery(foreign_job.account)
    for owner in (foreign_job.account, account):
        if name == "deliveries" and owner == account:
            continue  # that is our own page
        arguments = [studio.slug, owner.pk, *([theirs.pk] if name == "delivery" else [])]
        assert manager.get(reverse(f"jobs:{name}", args=arguments)).status_code == 404


@pytest.mark.parametrize("name", ["member_role", "member_remove", "invitation_send"])
def test_people_of_another_organization_cannot_be_touched(
    owner: Client, studio: Organization, foreign_job: Job, name: str
) -> None:
    theirs = make_membership(foreign_job.organization, Role.VIEWER)
    pk = theirs.pk if name.startswith("member") else make_invitation(foreign_job.organization).pk
    path = reverse(f"jobs:{name}", args=[studio.slug, pk])
    assert owner.post(path, {"role": Role.OWNER}).status_code == 404
    assert Membership.objects.get(pk=theirs.pk).role == Role.VIEWER
    assert_nothing_was_done()
