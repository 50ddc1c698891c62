"""A delivery is read by one worker at a time, for as long as that read takes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.models import Job, ProviderAccount, WebhookDelivery
from jobs.webhooks.handler import LEASE, handle_delivery
from tests.jobs.factories import NOON, make_delivery, make_job
from tests.jobs.fake_zencoder import Answer, FakeZencoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def waiting(account: ProviderAccount) -> WebhookDelivery:
    return make_delivery(account, handled_at=None, result="")


def test_while_a_read_hangs_nobody_else_reads_the_same(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    make_job(account, remote_id="71", status="running")
    zencoder.add(71)
    first, repeat = waiting(account), waiting(account)
    due: list[bool] = []

    def hang(request: requests.PreparedRequest) -> Answer | None:
        zencoder.faults.clear()
        clock.shift(60)
        due.append(WebhookDelivery.objects.due(timezone.now()).exists())
        return None

    zencoder.faults["details"] = hang
    handle_delivery(first.pk)
    assert due == [False]
    assert zencoder.asked["details"] == 1
    assert not WebhookDelivery.objects.filter(handled_at=None).exists()
    handle_delivery(repeat.pk)
    assert zencoder.asked["details"] == 1


def test_what_comes_while_a_job_is_read_is_read_after_it(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.add(71)
    later: list[WebhookDelivery] = []

    def deliver_another(request: requests.PreparedRequest) -> Answer | None:
        clock.shift(1)
        now = timezone.now()
        later.append(make_delivery(account, handled_at=None, received_at=now))
        return None

    zencoder.faults["details"] = deliver_another
    handle_delivery(waiting(account).pk)
    zencoder.faults.clear()
    [delivery] = WebhookDelivery.objects.due(timezone.now())
    assert delivery == later[0]
    handle_delivery(delivery.pk)
    assert zencoder.asked["details"] == 2


def test_what_a_killed_worker_held_is_due_again(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    class Killed(BaseException):
        pass

    def kill(request: requests.PreparedRequest) -> Answer | None:
        raise Killed

    zencoder.add(71)
    zencoder.faults["details"] = kill
    delivery = waiting(account)
    with pytest.raises(Killed):
        handle_delivery(delivery.pk)
    zencoder.faults.clear()
    clock.shift(LEASE - timedelta(seconds=1))
    handle_delivery(delivery.pk)
    assert not Job.objects.exists()
    clock.shift(1)
    handle_delivery(delivery.pk)
    assert Job.objects.get().remote_id == "71"
