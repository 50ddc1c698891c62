"""Every page and action, tried by a stranger, by somebody signed out, and by too low a role."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from jobs.models import Job, JobAction, Output, ProviderAccount
from organizations.models import Organization, Role
from tests.jobs.factories import make_account, make_body, make_delivery, make_job, make_output

READ = {
    "overview": (), "search": (), "list": (), "live": (), "detail": ("job",), "raw": ("job",),
    "input_open": ("job",), "output_open": ("job", "output"), "accounts": (),
    "files": (), "presets": (), "deliveries": ("account",),
}  # fmt: skip
# the role that it takes, and the names of its arguments
FORMS = {"new": (Role.OPERATOR, ()), "account_new": (Role.MANAGER, ()),
         "account_edit": (Role.MANAGER, ("account",))}  # fmt: skip
# what is read by some roles alone
RESTRICTED = {"delivery": (Role.OPERATOR, ("account", "delivery")),
              "account_usage": (Role.OPERATOR, ("account",)),
              "account_edit": (Role.OPERATOR, ("account",))}  # fmt: skip
ACTIONS = {
    "preview": (Role.OPERATOR, ()), "cancel": (Role.OPERATOR, ("job",)),
    "resubmit": (Role.OPERATOR, ("job",)), "resolve": (Role.OPERATOR, ("job",)),
    "account_watch": (Role.OPERATOR, ("account",)),
    "account_check": (Role.OPERATOR, ("account",)), "account_sync": (Role.OPERATOR, ("account",)),
    "account_pause": (Role.MANAGER, ("account",)), "account_resume": (Role.MANAGER, ("account",)),
}  # fmt: skip
OPEN_TO_ALL = {"home", "webhook"}


@pytest.fixture
def address(studio: Organization, job: Job, account: ProviderAccount) -> Callable[..., str]:
    make_body(job, {"id": 881200})
    parts = {
        "job": job.pk,
        "account": account.pk,
        "output": make_output(job).pk,
        "delivery": make_delivery(account).pk,
    }

    def of(name: str, arguments: tuple[str, ...]) -> str:
        path = reverse(f"jobs:{name}", args=[studio.slug, *(parts[one] for one in arguments)])
        return f"{path}?provider=zencoder" if name == "account_new" else path

    return of


def test_no_page_is_missing_from_these_lists() -> None:
    names = {name for name in get_resolver("jobs.urls").reverse_dict if isinstance(name, str)}
    assert names == {*READ, *FORMS, *RESTRICTED, *ACTIONS, *OPEN_TO_ALL}


@pytest.mark.parametrize("name", [*READ, *FORMS, *RESTRICTED])
def test_a_stranger_is_told_nothing(
    stranger: Client, address: Callable[..., str], name: str
) -> None:
    arguments = READ[name] if name in READ else (FORMS | RESTRICTED)[name][1]
    assert stranger.get(address(name, arguments)).status_code == 404


@pytest.mark.parametrize("name", [*FORMS, *ACTIONS])
def test_a_stranger_can_do_nothing(
    stranger: Client, address: Callable[..., str], name: str
) -> None:
    arguments = (FORMS | ACTIONS)[name][1]
    assert stranger.post(address(name, arguments)).status_code == 404
    assert not JobAction.objects.exists()


@pytest.mark.parametrize("name", READ)
def test_a_viewer_may_read(viewer: Client, address: Callable[..., str], name: str) -> None:
    assert viewer.get(address(name, READ[name])).status_code in (200, 204, 302)


@pytest.mark.parametrize("name", [*FORMS, *ACTIONS])
def test_a_role_below_the_needed_one_is_refused(
    sign_in: Callable[[Role | None], Client], address: Callable[..., str], name: str
) -> None:
    needed, arguments = (FORMS | ACTIONS)[name]
    below = max(role for role in Role if role < needed)
    assert sign_in(below).post(address(name, arguments)).status_code == 403
    assert sign_in(needed).post(address(name, arguments)).status_code != 403


@pytest.mark.parametrize("name", RESTRICTED)
def test_what_is_for_some_roles_is_read_by_them_alone(
    sign_in: Callable[[Role | None], Client], address: Callable[..., str], name: str
) -> None:
    needed, arguments = RESTRICTED[name]
    below = max(role for role in Role if role < needed)
    assert sign_in(below).get(address(name, arguments)).status_code == 403
    assert sign_in(needed).get(address(name, arguments)).status_code == 200


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_never_a_get(manager: Client, address: Callable[..., str], name: str) -> None:
    assert manager.get(address(name, ACTIONS[name][1])).status_code == 405


@pytest.mark.parametrize("name", READ)
def test_signed_out_one_is_sent_to_sign_in(
    client: Client, address: Callable[..., str], name: str
) -> None:
    path = address(name, READ[name])
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")

    polled = client.get(path, headers={"HX-Request": "true"})
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
