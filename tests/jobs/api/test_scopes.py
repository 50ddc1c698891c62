"""Every call of the API, tried by a token of each scope: the guide says which one it needs."""

import re
from typing import Any

import pytest
from django.conf import settings

from insights.urls import urlpatterns as insights_urlpatterns
from jobs.api.router import api
from jobs.models import ProviderAccount
from jobs.urls import urlpatterns
from organizations.models import Organization, Scope
from organizations.permissions import RULES, Permission
from tests.jobs.api.conftest import make_client

pytestmark = pytest.mark.django_db

SCOPES = list(Scope)
ROW = re.compile(r"^\| `([A-Z]+) /api/v1(/[^`]*)` \|.*\| (\w+) \|$", re.MULTILINE)
NEEDED = {
    (method, path): Scope(scope)
    for method, path, scope in ROW.findall((settings.BASE_DIR / "docs" / "api.md").read_text())
}


def test_the_guide_has_the_scope_of_every_call() -> None:
    paths: dict[str, dict[str, Any]] = api.get_openapi_schema()["paths"]
    calls = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in paths.items()
        for method in methods
    }
    assert calls == NEEDED.keys()


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("method", "path"), sorted(NEEDED))
def test_a_scope_may_do_what_the_guide_says(
    organization: Organization, account: ProviderAccount, method: str, path: str, scope: Scope
) -> None:
    before = ProviderAccount.objects.values().get()
    needed = NEEDED[method, path]
    answer = make_client(organization, scope).call(
        method, re.sub(r"{\w+}", "999999", path), {} if method != "GET" else None
    )
    if SCOPES.index(scope) < SCOPES.index(needed):
        assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")
        assert f"scope {needed.value}" in answer.body["error"]["message"]
    else:
        assert answer.status in {200, 404, 422}
    assert ProviderAccount.objects.values().get() == before


# The page that does the same
PAGES = {
    ("POST", "/jobs"): "new",
    ("POST", "/jobs/watch"): "account_watch",
    ("POST", "/jobs/{job_id}/cancel"): "cancel",
    ("POST", "/jobs/{job_id}/resubmit"): "resubmit",
    ("POST", "/accounts"): "account_new",
    ("PATCH", "/accounts/{account_id}"): "account_edit",
    ("POST", "/accounts/{account_id}/sync"): "account_sync",
    ("POST", "/accounts/{account_id}/check"): "account_check",
    ("PUT", "/accounts/{account_id}/integration"): "account_switch",
    ("POST", "/errors/{group_id}/mute"): "insights:mute",
    ("POST", "/errors/{group_id}/resolve"): "insights:resolve",
    ("POST", "/errors/{group_id}/reopen"): "insights:reopen",
    ("POST", "/batches"): "batch_new",
    ("POST", "/bulk"): "bulk_new",
    ("POST", "/bulk/{bulk_id}/stop"): "bulk_stop",
    ("POST", "/bulk/{bulk_id}/rest"): "bulk_resume",
    ("POST", "/jobs/{job_id}/assign"): "assign",
    ("POST", "/errors/{group_id}/assign"): "insights:assign",
    ("POST", "/jobs/{job_id}/notes"): "job_notes",
    ("POST", "/errors/{group_id}/notes"): "insights:error_notes",
}


def test_a_call_and_its_page_go_by_the_same_line_of_the_table() -> None:
    pages = {str(page.name): page.callback for page in urlpatterns}
    pages |= {f"insights:{page.name}": page.callback for page in insights_urlpatterns}
    changing = {call for call in NEEDED if call[0] != "GET"}
    assert changing == PAGES.keys()
    for call, name in PAGES.items():
        permission: Permission = vars(pages[name])["permission_to_change"]
        assert RULES[permission].scope == NEEDED[call], call
