"""The headers of each page, and that the Django admin can live with it."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from organizations.models import Role
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account, make_body, make_job, make_output

INLINE = {
    "a script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.I),
    "a style sheet": re.compile(r"<style\b", re.I),
    "a style": re.compile(r"<[^>]+\sstyle\s*=", re.I),
    "an event handler": re.compile(r"<[^>]+\son[a-z]+\s*=", re.I),
}


@pytest.fixture
def admin_client(db: None) -> Client:
    user = get_user_model().objects.create_superuser("admin@example.com", "a password")
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_pages_may_load_from_this_site_alone(client: Client) -> None:
    response = client.get(reverse("account_login"))
    policy = dict(
        directive.strip().partition(" ")[::2]
        for directive in response["Content-Security-Policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.ignore_template_errors
@pytest.mark.parametrize(
    "page",
    ["admin:index", "admin:organizations_user_changelist", "admin:organizations_user_add"],
)
def test_admin_needs_nothing_inline(admin_client: Client, page: str) -> None:
    response = admin_client.get(reverse(page))
    html = response.content.decode()

    assert response.status_code == 200
    assert {what for what, pattern in INLINE.items() if pattern.search(html)} == set()


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize(
    "path",
    [
        "/o/harbour/jobs/",
        "/o/harbour/jobs/live/",
        "/o/harbour/jobs/new/",
        "/o/harbour/jobs/{job}/",
        "/o/harbour/jobs/{job}/?play=1",
        "/o/harbour/jobs/{job}/raw/",
        "/o/harbour/jobs/{job}/outputs/{output}/open/",
        "/o/harbour/files/",
        "/o/harbour/presets/",
        "/o/harbour/accounts/",
        "/o/harbour/accounts/{account}/",
        "/o/harbour/search/?q=dawn",
        "/o/harbour/nowhere/",
    ],
)
def test_no_cache_keeps_a_page_of_an_organization_or_a_part_of_it(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    organization = make_organization("harbour")
    job = make_job(make_account(organization))
    make_body(job, {"id": 7})
    ids = {"job": job.pk, "account": job.account_id, "output": make_output(job).pk}
    client.force_login(make_membership(organization, Role.OWNER).user)
    response = client.get(path.format(**ids), headers=headers)

    caching = {part.strip() for part in response["Cache-Control"].split(",")}
    assert {"private", "no-store"} <= caching
    assert "HX-Request" in response["Vary"]
