"""A link that expired is asked for anew, within limits, and a failure is explained."""

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from jobs.media.links import NoLink, find_link
from jobs.models import EventSource, Job, Output, ProviderAccount
from jobs.sync.runner import refresh_one
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account, make_job, make_output
from tests.jobs.fake_zencoder import FakeZencoder, failing, unreachable

pytestmark = pytest.mark.django_db


def sign(zencoder: FakeZencoder, signature: str, hours: float) -> str:
    """Give the first output of job 71 a signed URL that ends in so many hours."""
    ends = int((timezone.now() + timedelta(hours=hours)).timestamp())
    url = f"https://cdn.example.net/71/240.mp4?Expires={ends}&Signature={signature}"
    zencoder.jobs[71]["output_media_files"][0]["url"] = url
    return url


@pytest.fixture
def expired(zencoder: FakeZencoder, account: ProviderAccount) -> Output:
    """A mirrored output whose link ended an hour ago."""
    zencoder.add(71)
    sign(zencoder, "old", hours=-1)
    refresh_one(account, "71", source=EventSource.POLL)
    zencoder.asked.clear()
    return Output.objects.select_related("job", "account").get(remote_id="710")


def test_a_link_that_holds_is_used_without_asking(
    zencoder: FakeZencoder, expired: Output, account: ProviderAccount
) -> None:
    whole = sign(zencoder, "later", hours=1)
    output = make_output(
        expired.job, secret_url=whole, expires_at=timezone.now() + timedelta(hours=1)
    )
    assert find_link(output).url == whole
    assert not zencoder.asked


def test_an_expired_link_is_renewed_though_nothing_else_changed(
    zencoder: FakeZencoder, expired: Output
) -> None:
    whole = sign(zencoder, "new", hours=1)
    assert find_link(expired).url == whole
    assert zencoder.asked == {"details": 1}
    stored = Output.objects.get(pk=expired.pk)
    assert (stored.secret_url, stored.url.partition("?")[0]) == (whole, whole.partition("?")[0])
    assert "Signature=new" not in stored.url
    assert stored.expires_at
    assert stored.expires_at > timezone.now()


def test_a_renewal_that_brings_nothing_newer_says_so(
    zencoder: FakeZencoder, expired: Output
) -> None:
    with pytest.raises(NoLink, match="returned no new one") as refusal:
        find_link(expired)
    assert refusal.value.is_final


@pytest.mark.parametrize("fault", [failing(503), unreachable])
def test_a_provider_that_does_not_answer_leaves_it_to_later(
    zencoder: FakeZencoder, expired: Output, fault: object
) -> None:
    zencoder.faults["details"] = fault  # type: ignore[assignment]
    with pytest.raises(NoLink, match="a new one could not be requested") as refusal:
        find_link(expired)
    assert not refusal.value.is_final


@pytest.mark.parametrize(
    ("model", "change", "phrase"),
    [
        (ProviderAccount, {"enabled": False}, "is paused"),
        (ProviderAccount, {"refused_at": NOON}, "refuses the credential"),
        (Job, {"gone_at": NOON}, "no longer has the job"),
        (Job, {"is_newest": False}, "links for the latest attempt"),
    ],
)
def test_a_provider_that_must_not_or_cannot_be_asked_is_not(
    zencoder: FakeZencoder,
    expired: Output,
    model: type[ProviderAccount] | type[Job],
    change: dict[str, object],
    phrase: str,
) -> None:
    model._default_manager.update(**change)
    output = Output.objects.select_related("job", "account").get(pk=expired.pk)
    with pytest.raises(NoLink, match=phrase):
        find_link(output)
    assert not zencoder.asked


def test_an_output_without_a_url_says_so(account: ProviderAccount) -> None:
    with pytest.raises(NoLink, match="no URL"):
        find_link(make_output(make_job(account), url=""))


@pytest.fixture
def made(organization: Organization) -> Output:
    """An output of a provider whose URLs open with the account's credentials alone."""
    account = make_account(
        organization,
        provider="xvid",
        base_url="https://xvid.example.com/v1",
        credentials={"client_id": "desk", "client_secret": "k-2202"},
    )
    output = make_output(
        make_job(account, remote_id="71"),
        remote_id="0",
        url="https://xvid.example.com/v1/files/downloads/?file_id=5",
    )
    return Output.objects.select_related("job", "account").get(pk=output.pk)


def test_where_urls_are_made_for_the_moment_one_is_asked_for(made: Output) -> None:
    whole = "https://cdn.example.com/f.mp4?sig=once"
    with responses.RequestsMock() as wire:
        base = made.account.base_url
        wire.post(f"{base}/oauth2/token/", json={"access_token": "t-1", "expires_in": 3600})
        wire.get(f"{base}/jobs/71", json={"job": {"outputs": [{"file": {"id": 5}}]}})
        wire.get(f"{base}/files/downloads/", json={"download": {"uri": whole}})
        assert find_link(made).url == whole
        assert len(wire.calls) == 3
    assert Output.objects.get(pk=made.pk).secret_url is None

    with responses.RequestsMock() as wire:
        wire.get(f"{base}/jobs/71", status=404, json={"error": "no such job"})
        with pytest.raises(NoLink) as refusal:
            find_link(made)
        assert refusal.value.is_final
