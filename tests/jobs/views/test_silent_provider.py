"""No page waits for a provider that accepts connections and never answers."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.accounts import interactive
from jobs.models import Job, Output, ProviderAccount, Submission, SubmissionState
from organizations.models import Organization, User
from tests.jobs.factories import NOON, make_account, make_job, make_output
from tests.markup import without_isolation
from tests.waiting import PATIENCE_S

SENTENCE = "did not respond within 0.05 s."


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that lets anybody connect, and reads and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactive, "ANSWER_S", 0.05)


@pytest.fixture
def account(studio: Organization, silent_url: str) -> ProviderAccount:
    return make_account(studio, name="Silent", base_url=silent_url)


@pytest.fixture
def expired(account: ProviderAccount) -> Output:
    """An output whose signed link has expired, so that the provider is asked for a new one."""
    ended_at = timezone.now() - timedelta(hours=1)
    return make_output(
        make_job(account), url="https://cdn.example/film.mp4?sig=REDACTED", expires_at=ended_at
    )


@pytest.fixture
def linked(studio: Organization, silent_url: str) -> Output:
    """An output of a provider that makes each link on demand."""
    account = make_account(
        studio,
        provider="xvid",
        name="Silent",
        base_url=silent_url,
        credentials={"client_id": "desk", "client_secret": "k-2202"},
    )
    url = "https://xvid.example.com/v1/files/downloads/?file_id=5"
    return make_output(make_job(account, remote_id="71"), remote_id="0", url=url)


def account_path(name: str, account: ProviderAccount) -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", account.pk])


def job_path(job: Job, query: str = "") -> str:
    return reverse("jobs:detail", args=["harbour-studio", job.pk]) + query


def open_path(output: Output) -> str:
    return reverse("jobs:output_open", args=["harbour-studio", output.job_id, output.pk])


def test_a_person_waits_for_three_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert interactive.ANSWER_S == 3.0


def test_checking_credentials(manager: Client, account: ProviderAccount) -> None:
    html = manager.post(account_path("account_check", account), follow=True).content.decode()
    assert SENTENCE in html


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_usage(operator: Client, account: ProviderAccount, headers: dict[str, str]) -> None:
    response = operator.get(account_path("account_usage", account), headers=headers)
    assert SENTENCE in without_isolation(response.content.decode())


def test_saving_an_account(manager: Client, account: ProviderAccount) -> None:
    edit = account_path("account_edit", account)
    html = manager.post(edit, {"api_key": "k-new"}, follow=True).content.decode()
    assert SENTENCE in html


def test_saving_an_account_in_the_admin(client: Client, account: ProviderAccount) -> None:
    client.force_login(User.objects.create_superuser("root@studio.example"))
    change = reverse("admin:jobs_provideraccount_change", args=[account.pk])
    values = {"base_url": account.base_url, "enabled": "on", "api_key": "k-new"}
    assert SENTENCE in client.post(change, values, follow=True).content.decode()


def test_opening_a_file_whose_link_has_expired(viewer: Client, expired: Output) -> None:
    response = viewer.get(open_path(expired))
    assert response.status_code == 503
    assert SENTENCE in response.content.decode()


def test_opening_a_file_whose_link_is_made_on_demand(viewer: Client, linked: Output) -> None:
    response = viewer.get(open_path(linked))
    assert response.status_code == 503
    assert SENTENCE in response.content.decode()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("kind", ["expired", "linked"])
def test_playing(
    viewer: Client, request: pytest.FixtureRequest, kind: str, headers: dict[str, str]
) -> None:
    output: Output = request.getfixturevalue(kind)
    response = viewer.get(job_path(output.job, f"?play={output.pk}"), headers=headers)
    assert response.status_code == 200
    assert SENTENCE in response.content.decode()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("kind", ["expired", "linked"])
def test_thumbnails(
    viewer: Client, request: pytest.FixtureRequest, kind: str, headers: dict[str, str]
) -> None:
    output: Output = request.getfixturevalue(kind)
    Output.objects.update(kind="image")
    response = viewer.get(job_path(output.job, "?thumbnails=1"), headers=headers)
    assert response.status_code == 200
    assert SENTENCE in response.content.decode()


def test_finding_a_job_whose_submission_is_unconfirmed(
    operator: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status="submitting", remote_id=None, request={"input": "s3://a/b"})
    Submission.objects.create(
        job=job,
        account=account,
        organization=account.organization,
        state=SubmissionState.UNCONFIRMED,
        next_at=NOON,
    )
    path = reverse("jobs:resolve", args=["harbour-studio", job.pk])
    response = operator.post(path, {"found_remote_id": "640"})
    assert response.status_code == 422
    assert SENTENCE in response.content.decode()


def test_the_limit_of_requests_holds_for_them_as_well(
    operator: Client, account: ProviderAccount, expired: Output
) -> None:
    ProviderAccount.objects.update(options={"requests_per_minute": "1"})
    operator.get(open_path(expired))
    html = operator.get(open_path(expired)).content.decode()
    assert "used up its requests for this minute" in html


def test_a_lookup_that_hangs_is_not_waited_for(
    manager: Client, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Event()

    def hang(*args: object, **kwargs: object) -> list[object]:
        over.wait(PATIENCE_S)
        raise OSError("too late")

    monkeypatch.setattr("socket.getaddrinfo", hang)
    ProviderAccount.objects.update(base_url="http://api.example.com")
    html = manager.post(account_path("account_check", account), follow=True).content.decode()
    over.set()
    assert SENTENCE in html
