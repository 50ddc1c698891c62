"""Hostile names, links and requests: shown as text, led nowhere, answered with a refusal."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from jobs.media.playback import MAX_ORIGINS, media_policy, origin, origins_of
from jobs.models import Job, Output, ProviderAccount, WebhookDelivery
from jobs.query.files import FileFilter
from jobs.query.jobs import JobFilter
from jobs.query.presets import PresetFilter
from jobs.webhooks.receiver import MAX_BODY
from organizations.models import ApiToken, Organization, Role, Scope
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.factories import (
    make_account,
    make_body,
    make_delivery,
    make_event,
    make_job,
    make_output,
    make_preset,
)
from tests.secret_outputs import admin_pages

pytestmark = pytest.mark.django_db

EVIL = "\"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7|add:7 }}'&"
ADDRESSES = (
    "javascript:alert(1)",
    "JaVaScRiPt://x%0aalert(1)",
    f"data:text/html,{EVIL}",
    f"https://evil.example;script-src *{EVIL}",
    f"https://good.example/{EVIL}",
    "https://evil.example\u2028.x/a.mp4",
)


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio", name=EVIL)


@pytest.fixture
def account(organization: Organization) -> ProviderAccount:
    return make_account(organization, name=EVIL[:90])


@pytest.fixture
def member(organization: Organization) -> Client:
    user = make_user(name=EVIL, is_staff=True)
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    make_membership(organization, Role.OWNER, user=user)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def token(organization: Organization) -> str:
    return ApiToken.issue(organization, EVIL[:90], Scope.OPERATE)[1]


# What is shown


class Markup(HTMLParser):
    """What a browser would make of a page: elements, and links that would be followed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.inline_scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.handlers += [name for name in named if name.startswith("on")]
        self.links += [
            value for name, value in named.items() if name in ("href", "src", "action", "poster")
        ]
        # data that scripts read is no script
        is_data = named.get("type") == "application/json"
        self.inline_scripts += tag == "script" and "src" not in named and not is_data


def plant(account: ProviderAccount) -> None:
    for status in ("succeeded", "failed", "running", "unknown", "cancelled"):
        job = make_job(
            account,
            status=status,
            name=EVIL,
            provider_status=EVIL,
            phase=EVIL,
            batch=EVIL,
            input_url=f"javascript:alert(1)//{EVIL}",
            input_video_codec=EVIL[:60],
            metadata={EVIL: EVIL},
            request={"input": EVIL, "renditions": [], "extra": {EVIL: EVIL}},
            errors=[{"class": "unknown", "code": EVIL, "message": EVIL, "origin": EVIL}],
            error_class="unknown" if status == "failed" else "",
            error_code=EVIL if status == "failed" else "",
            error_message=EVIL if status == "failed" else "",
        )
        preset = make_preset(account, name=EVIL, kind=EVIL[:60], settings={EVIL: EVIL})
        for link in ADDRESSES:
            reported = {"label": EVIL, "url": link, "provider_status": EVIL}
            make_output(job, **reported, format=EVIL[:60], preset=preset)
            make_output(job, **reported, kind="image")
        make_body(job, {EVIL: EVIL})
        make_event(job, message=EVIL)
    make_delivery(account, body=EVIL, result=EVIL, remote_id=EVIL)


def pages(account: ProviderAccount) -> Iterator[str]:
    for name in ("list", "files", "presets", "accounts", "new"):
        yield reverse(f"jobs:{name}", args=["studio"])
    yield reverse("jobs:files", args=["studio"]) + "?kind=image"
    yield reverse("jobs:deliveries", args=["studio", account.pk])
    yield reverse("jobs:account_edit", args=["studio", account.pk])
    for delivery in WebhookDelivery.objects.all():
        yield reverse("jobs:delivery", args=["studio", account.pk, delivery.pk])
    for job in Job.objects.all():
        yield from (reverse(f"jobs:{name}", args=["studio", job.pk]) for name in ("detail", "raw"))
    yield from admin_pages()


@pytest.mark.ignore_template_errors
def test_hostile_names_are_text_on_every_page(account: ProviderAccount, member: Client) -> None:
    plant(account)
    for path in pages(account):
        page = member.get(path)
        assert page.status_code == 200, path
        markup = Markup(page.content.decode())
        assert markup.handlers == [], path
        assert markup.inline_scripts == 0, path
        assert not [
            link
            for link in markup.links
            if re.match(r"\s*(javascript|data:text)", link, re.IGNORECASE) or link == "x"
        ], path
        policy = page.headers["Content-Security-Policy"]
        assert policy.isascii(), path
        assert not policy.startswith("=?"), path
        assert "evil.example" not in policy, path
        assert "script-src 'self'" in policy, path


@pytest.mark.database
@pytest.mark.ignore_template_errors
def test_a_filter_of_the_admin_refuses_what_no_column_holds(member: Client) -> None:
    lists = [page for page in admin_pages() if page.count("/") == 4]
    assert len(lists) > 10
    for page in lists:
        for name in ("q", "id__exact", "name__exact", "kind", "remote_id", "to_status"):
            answer = member.get(f"{page}?{name}=a%00b", follow=True)
            assert answer.status_code == 200, (page, name)


def test_a_url_is_followed_only_to_the_web(account: ProviderAccount, member: Client) -> None:
    plant(account)
    for output in Output.objects.all():
        path = reverse("jobs:output_open", args=["studio", output.job_id, output.pk])
        answer = member.get(path)
        if output.url.startswith("https://good.example/"):
            assert answer["Location"].startswith("https://good.example/")
            assert not re.search(r"[\r\n<>\"]", answer["Location"])
        else:
            assert (answer.status_code, answer.headers.get("Location")) == (200, None)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://cdn.example.com/a.mp4", "https://cdn.example.com"),
        ("http://127.0.0.1:9000/a", "http://127.0.0.1:9000"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443"),
        ("https://my_bucket.s3.example.com/a", "https://my_bucket.s3.example.com"),
        ("https://münchen.example/a", "https://xn--mnchen-3ya.example"),
        ("https://u:p@cdn.example.com/a", "https://cdn.example.com"),
        *(
            (link, None)
            for link in (
                *("https://*/a", "https://*.com/a", "https://a*b.com/", "https:///a", "https:a"),
                *("https://evil.com;script-src *", "https://evil.com%3bscript-src/"),
                *("https://evil.com,x/", "https://'unsafe-inline'/", "https://a b/"),
                *("https://evil.com\x0b/", "https://x\x00y/", "https://evil.com\u2028x/"),
                *("https://{x}/", "https://<x>/", "https://[::1;x]/", "https://x:99999/"),
                *("javascript:alert(1)", "data:text/html,x", "//evil.com/", "s3://bucket/a"),
                f"https://{'a' * 300}.com/",
            )
        ),
    ],
)
def test_an_origin_is_fit_for_a_policy_or_none(link: str, expected: str | None) -> None:
    assert origin(link) == expected


def test_a_policy_stays_short_whatever_a_job_lists(account: ProviderAccount) -> None:
    outputs = [Output(url=f"https://host-{number}.example/a.mp4") for number in range(500)]
    assert len(origins_of(outputs)) == MAX_ORIGINS
    assert len(str(media_policy(origins_of(outputs)))) < 4000


# What is asked

ODD_TEXTS = (
    *("%00", "%ff", "%ed%a0%80", "%0d%0aX: y", "%25%5f%27", "a" * 5000, "[" * 400, "9" * 30),
    "'%22><script>alert(2)</script>",
)
OF_LISTS = ("sort", "limit", "cursor", "unknown")
PARAMETERS = {
    "search": ("q", "unknown"),
    "query": ("q", "at", "list"),
    "list": (*JobFilter.CONDITIONS, *OF_LISTS),
    "files": (*FileFilter.CONDITIONS, *OF_LISTS),
    "presets": (*PresetFilter.CONDITIONS, "created_after", *OF_LISTS),
    "live": ("rows", "since", "revision", "new", "health", "q", "status", "unknown"),
}


@pytest.mark.database
@pytest.mark.parametrize("name", PARAMETERS)
def test_an_odd_query_is_no_failure(
    account: ProviderAccount, member: Client, token: str, name: str
) -> None:
    """In all parameters, and in those that are read apart; the API is asked for each alone."""
    make_job(account)
    path = reverse(f"jobs:{name}", args=["studio"])
    apart = [[one] for one in PARAMETERS[name] if one in ("q", "cursor", "rows", "since")]
    for parameters, text in product([PARAMETERS[name], *apart], ODD_TEXTS):
        length = 200 if len(parameters) > 1 else None  # no server takes more in one line
        query = "&".join(f"{one}={text[:length]}" for one in parameters)
        page = member.get(f"{path}?{query}")
        assert page.status_code in (200, 204, 302), (parameters, text)
        assert b"<script>alert" not in page.content, (parameters, text)


@pytest.mark.database
@pytest.mark.parametrize(
    ("name", "path"), [("list", "jobs"), *((n, n) for n in ("files", "presets"))]
)
def test_an_odd_query_of_the_api_is_answered_or_refused(
    account: ProviderAccount, token: str, name: str, path: str
) -> None:
    make_job(account)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for parameter, text in product(PARAMETERS[name], ODD_TEXTS):
        answer = client.get(f"/api/v1/{path}?{parameter}={text}")
        assert answer.status_code in (200, 422), (parameter, text)


@pytest.mark.database
@pytest.mark.parametrize("number", ["0", str(2**63 - 1), str(2**63), "9" * 30])
def test_an_id_that_none_has_is_not_found(
    account: ProviderAccount, member: Client, token: str, number: str
) -> None:
    job = make_job(account)
    for path in (
        *(f"jobs/{number}/", f"jobs/{number}/raw/", f"jobs/{number}/input/open/"),
        *(f"jobs/{job.pk}/outputs/{number}/open/", f"accounts/{number}/"),
        *(f"accounts/{number}/deliveries/", f"accounts/{account.pk}/deliveries/{number}/"),
    ):
        assert member.get(f"/o/studio/{path}").status_code == 404, path
    headers = {"Authorization": f"Bearer {token}"}
    for path in (f"jobs/{number}", f"jobs/{number}/raw", f"accounts/{number}"):
        assert Client().get(f"/api/v1/{path}", headers=headers).status_code == 404, path
    assert Client().post(f"/hooks/zencoder/{number}/x/").status_code == 400


@pytest.mark.parametrize(
    ("length", "status"),
    [
        *((length, 400) for length in ("abc", "-5", "1e3", "+5", "5 5", "٣", "0x10", "9" * 5000)),
        *((length, 413) for length in (str(MAX_BODY + 1), "9" * 20)),
    ],
)
def test_a_delivery_of_no_length_or_too_much_is_refused(
    account: ProviderAccount, length: str, status: int
) -> None:
    path = reverse("jobs:webhook", args=["zencoder", account.pk, account.hook_secret])
    answer = Client().post(path, b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert answer.status_code == status
    assert not WebhookDelivery.objects.exists()


def submission(**fields: Any) -> dict[str, Any]:
    renditions = [{"packaging": "mp4", "heights": [360]}]
    return {"input": "https://in.example.com/a.mov", "renditions": renditions, **fields}


def post(token: str, body: dict[str, Any] | str, **headers: str) -> Any:
    return Client().post(
        "/api/v1/jobs",
        body if isinstance(body, str) else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", **headers},
    )


@pytest.mark.database
@pytest.mark.parametrize(("length", "status"), [(255, 201), (256, 422), (5000, 422)])
def test_an_idempotency_key_is_bounded(
    account: ProviderAccount, token: str, length: int, status: int
) -> None:
    body = submission(account=account.name)
    assert post(token, body, **{"Idempotency-Key": "k" * length}).status_code == status
    assert Job.objects.count() == (status == 201)


@pytest.mark.database
@pytest.mark.parametrize("field", ["extra", "metadata"])
@pytest.mark.parametrize(
    ("value", "status"),
    [
        *((f"{'[' * depth}1{']' * depth}", 422) for depth in (25, 500)),
        *((f"{'[' * depth}1{']' * depth}", 400) for depth in (5_000, 50_000)),
        *(("9" * 6000, 400), ("1e400", 422), ("NaN", 400), (r'"\ud800"', 422), (r'"\u0000"', 422)),
    ],
    ids=lambda value: str(value)[:8],
)
def test_a_value_that_cannot_be_kept_is_refused(
    account: ProviderAccount, token: str, field: str, value: str, status: int
) -> None:
    whole = json.dumps(submission(account=account.name, **{field: {"a": "HERE"}}))
    assert post(token, whole.replace('"HERE"', value)).status_code == status
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_one_key_sent_twice_at_once_makes_one_job(account: ProviderAccount, token: str) -> None:
    together, reported = Barrier(4), []

    def send() -> None:
        together.wait()
        try:
            answer = post(
                token,
                submission(account=account.name, allow_duplicate=True),
                **{"Idempotency-Key": "the same"},
            )
            reported.append((answer.status_code, answer.json()["id"]))
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in reported) == [200, 200, 200, 201]
    assert len({pk for _, pk in reported}) == Job.objects.count() == 1
