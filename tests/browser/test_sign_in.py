"""Second factors, set up and used in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import inspect
from tests.browser.conftest import is_complaint, sign_in
from tests.browser.stack import PASSWORD, Stack
from tests.organizations.sign_in.codes import code_of

pytestmark = pytest.mark.browser

EMAIL = "fay@harbor.example"
MAKE_MEMBER = f"""
from organizations.models import Membership, Organization, Role, User
user = User.objects.create_user({EMAIL!r}, {PASSWORD!r})
Membership.objects.create(
    user=user, organization=Organization.objects.get(slug="harbor"), role=Role.VIEWER
)
"""


@pytest.fixture(scope="module")
def member(stack: Stack) -> str:
    """Of this module alone: for others a password stays enough."""
    stack.manage("shell", "--no-imports", "-c", MAKE_MEMBER)
    return EMAIL


@pytest.fixture
def visitor(stack: Stack, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text)
            if is_complaint(message) else None)  # fmt: skip
    yield page
    context.close()
    assert complaints == []


def test_an_app_and_recovery_codes_are_set_up_and_asked_for(
    visitor: Page, stack: Stack, member: str
) -> None:
    page = visitor
    sign_in(page, stack, member)
    page.locator(".side-user summary").click()
    page.get_by_role("link", name="Two-factor authentication").click()
    inspect(page)
    page.get_by_role("link", name="Set up an app").click()
    inspect(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    inspect(page)
    secret = page.locator("#totp-key").inner_text()
    page.get_by_label("Six-digit code").fill("12345")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    inspect(page)
    page.get_by_label("Six-digit code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    recovery_code = page.locator(".codes code").first.inner_text()
    inspect(page)
    page.get_by_role("link", name="Done").click()
    inspect(page)
    page.get_by_role("link", name="Replace with new codes").click()
    inspect(page)
    page.goto("/accounts/2fa/totp/deactivate/")
    inspect(page)
    page.goto("/accounts/2fa/reauthenticate/")
    inspect(page)

    page.context.clear_cookies()
    enter_password(page)
    inspect(page)
    page.get_by_role("link", name="Use a recovery code").click()
    inspect(page)
    page.get_by_label("Recovery code").fill(recovery_code)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/o/harbor/**")


def enter_password(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
