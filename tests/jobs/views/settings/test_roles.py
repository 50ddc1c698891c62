"""The page of roles is the table that everything goes by."""

import re

import pytest
from django.test import Client

from jobs.views.settings.sections import SECTIONS
from organizations.models import Organization, Role
from organizations.permissions import RULES, role_allows
from tests.factories import make_membership

pytestmark = pytest.mark.django_db


def test_the_page_says_what_the_table_says(operator: Client, studio: Organization) -> None:
    make_membership(studio, Role.VIEWER)
    make_membership(studio, Role.VIEWER)
    page = operator.get("/o/harbour-studio/settings/roles/").content.decode()
    rows = {
        label: (re.findall(r">(Yes|No)<", cells), re.findall(r"<code>(\w+)</code>", cells))
        for label, cells in re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', page, re.DOTALL)
    }
    assert rows == {
        rule.label.replace("'", "&#x27;"): (
            ["Yes" if role_allows(role, permission) else "No" for role in Role],
            [rule.scope] if rule.scope else [],
        )
        for permission, rule in RULES.items()
    }
    assert "2 members<" in page
    assert "1 member, you<" in page


def test_the_navigation_leads_to_each_section_that_the_role_may_see(
    viewer: Client, owner: Client, studio: Organization
) -> None:
    for client, role in ((viewer, Role.VIEWER), (owner, Role.OWNER)):
        tabs = client.get("/o/harbour-studio/settings/roles/").context["settings_tabs"]
        allowed = [one.label for one in SECTIONS if role_allows(role, one.permission)]
        assert [tab.label for tab in tabs] == allowed
        assert [tab.label for tab in tabs if tab.is_current] == ["Roles"]
        assert {client.get(tab.url).status_code for tab in tabs} == {200}
