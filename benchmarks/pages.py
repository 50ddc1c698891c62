"""The list: a thousand jobs against very many, the first page against a deep one, a quiet poll."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.urls import reverse

from jobs.models import Job, ProviderAccount
from jobs.query.paging.keyset import page
from jobs.query.paging.orderings import Ordering
from organizations.models import Membership, Organization, Role, User
from providers.core import registry

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
SMALL = 1_000
LIMIT = 50

Measure = Callable[..., tuple[float, int]]


def run(measure: Measure, jobs: int) -> None:
    user = User.objects.create_user("bench@example.com")
    client = Client()
    client.force_login(user)
    small = _organization("small", SMALL, user)
    large = _organization("large", jobs, user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"pages, {SMALL:,} against {jobs:,} jobs (seconds and queries of a request):")
    for name, query in (("all", ""), ("failed", "?status=failed"), ("text", "?q=reel-77")):
        of_small, queries = measure(lambda q=query: _get(client, small, q))
        of_large, queries_large = measure(lambda q=query: _get(client, large, q))
        print(
            f"  {name:9}  {of_small:.4f} s and {queries}, {of_large:.4f} s and {queries_large}: "
            f"{of_large / of_small:.2f} times as long"
        )
    _quiet_poll(measure, client, large)
    _deep_page(measure, large)


def _quiet_poll(measure: Measure, client: Client, organization: Organization) -> None:
    full, _ = measure(lambda: _get(client, organization, ""))
    html = _get(client, organization, "")
    live = re.search(r'hx-get="([^"]+/live/[^"]*)"[^>]*data-live-since="([^"]*)"', html)
    rows = re.findall(r'<tr id="job-(\d+)"[^>]*data-version="(\d+)"', html)
    health = re.search(r'data-fingerprint="([^"]*)"', html)
    if live is None or health is None or not rows:
        raise RuntimeError("the list has no poll to measure")
    params = {
        "rows": "_".join(f"{pk}.{version}" for pk, version in rows),
        "since": live.group(2),
        "new": "0",
        "health": health.group(1),
    }
    url = f"{live.group(1).split('?')[0]}?{urlencode(params)}"
    response = client.get(url, headers={"HX-Request": "true"})
    quiet, queries = measure(lambda: client.get(url, headers={"HX-Request": "true"}))
    print(
        f"  poll       {quiet:.4f} s and {queries} (answer {response.status_code}): "
        f"{quiet / full:.2f} of the whole page"
    )


def _deep_page(measure: Measure, organization: Organization) -> None:
    rows = Job.objects.for_organization(organization).for_list()
    ordering = Ordering("created")
    middle = Job.objects.for_organization(organization).order_by("-sort_at")
    depth = middle.count() // 2
    at = page(rows, ordering, LIMIT).next or ""
    before = page(
        rows.filter(sort_at__gte=middle[depth].sort_at),
        Ordering("created", descending=False),
        LIMIT,
    )
    first, _ = measure(lambda: page(rows, ordering, LIMIT, at))
    deep, _ = measure(
        lambda: page(rows.filter(sort_at__lt=before.rows[0].sort_at), ordering, LIMIT)
    )
    offset, _ = measure(lambda: list(rows.order_by("-sort_at", "-id")[depth : depth + LIMIT]))
    print(
        f"  half way   keyset {deep:.4f} s ({deep / first:.2f} of the second page), "
        f"offset {offset:.4f} s ({offset / deep:.0f} times the keyset)"
    )


def _get(client: Client, organization: Organization, query: str) -> str:
    response = client.get(reverse("jobs:list", args=[organization.slug]) + query)
    if response.status_code != 200:
        raise RuntimeError(f"the list answered {response.status_code}")
    return response.content.decode()


def _organization(slug: str, jobs: int, user: User) -> Organization:
    organization = Organization.objects.create(name=slug.title(), slug=slug)
    Membership.objects.create(organization=organization, user=user, role=Role.OPERATOR)
    account = ProviderAccount.objects.create(
        organization=organization,
        provider=registry.choices()[0][0],  # any will do
        name="bench",
        base_url="https://example.com",
        credentials={},
        imported_at=NOON,
    )
    for first in range(0, jobs, 10_000):
        Job.objects.bulk_create(
            [
                _job(organization, account, number)
                for number in range(first, min(first + 10_000, jobs))
            ],
            batch_size=2_000,
        )
    return organization


def _job(organization: Organization, account: ProviderAccount, number: int) -> Job:
    at = NOON - timedelta(seconds=number * 7)
    failed = number % 9 == 0
    return Job(
        organization=organization,
        account=account,
        remote_id=str(number),
        name=f"reel-{number}.mov",
        status="failed" if failed else "succeeded",
        provider_status="failed" if failed else "finished",
        error_class="input.not_found" if failed else "",
        input_url=f"s3://bench/reel-{number}.mov",
        created_at=at,
        finished_at=at + timedelta(minutes=3),
        ended_at=at + timedelta(minutes=3),
        ended_at_source="provider",
        sort_at=at,
        first_seen_at=at,
        changed_at=at,
        observed_at=at,
        outputs_total=2,
        outputs_succeeded=0 if failed else 2,
    )
