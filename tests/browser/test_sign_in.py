"""Second factors, passkeys and single sign-on in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import follow, inspect
from tests.browser.conftest import is_complaint
from tests.browser.stack import PASSWORD, Stack, answers, free_port
from tests.organizations.sign_in.codes import code_of
from tests.organizations.sign_in.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, serve
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

# Of this module alone: for others a password stays enough.
WITH_APP, WITH_PASSKEY, WITH_ISSUER = (f"{name}@harbor.example" for name in ("app", "key", "sso"))
MAKE_MEMBERS = f"""
from organizations.models import Membership, Organization, Role, User
for email in {(WITH_APP, WITH_PASSKEY, WITH_ISSUER)!r}:
    user = User.objects.create_user(email, {PASSWORD!r})
    organization = Organization.objects.get(slug="harbor")
    Membership.objects.create(user=user, organization=organization, role=Role.VIEWER)
"""
FILES = re.compile(r"^http://localhost:\d+/o/harbor/files/$")
FRONT_PAGE = re.compile(r"^http://localhost:\d+/o/harbor/$")
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "automaticPresenceSimulation": True,
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with serve() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def board(stack: Stack, issuer: Issuer) -> str:
    """The same board under a host name, which passkeys need, and with an issuer."""
    stack.manage("shell", "--no-imports", "-c", MAKE_MEMBERS)
    port = free_port()
    url = f"http://localhost:{port}"
    stack.launch(
        *("web with a host name", "-m", "gunicorn", "dashboard.wsgi", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}"),
        BASE_URL=url,
        ALLOWED_HOSTS="localhost,127.0.0.1",
        OIDC_ISSUER=issuer.url,
        OIDC_CLIENT_ID=CLIENT_ID,
        OIDC_CLIENT_SECRET=CLIENT_SECRET,
    )
    wait_until(lambda: answers(port, "/readyz"), "the board with a host name")
    return url


@pytest.fixture
def visitor(board: str, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=board)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text)
            if is_complaint(message) and "403" not in message.text else None)  # fmt: skip
    yield page
    context.close()
    assert complaints == []


def enter_password(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm_password(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def test_an_app_and_recovery_codes_are_set_up_and_asked_for(visitor: Page) -> None:
    page = visitor
    enter_password(page, WITH_APP)
    page.locator(".top-user summary").click()
    follow(page, "Two-factor authentication")
    inspect(page)
    follow(page, "Set up an app")
    inspect(page)
    confirm_password(page)
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
    follow(page, "Done")
    inspect(page)
    follow(page, "Replace with new codes")
    inspect(page)
    page.goto("/accounts/2fa/totp/deactivate/")
    inspect(page)
    page.goto("/accounts/2fa/reauthenticate/")
    inspect(page)

    page.context.clear_cookies()
    enter_password(page, WITH_APP)
    inspect(page)
    follow(page, "Use a recovery code")
    inspect(page)
    page.get_by_label("Recovery code").fill(recovery_code)
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(FRONT_PAGE)


def test_a_passkey_is_added_and_signs_in_alone_or_after_the_password(visitor: Page) -> None:
    page = visitor
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    added = device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    enter_password(page, WITH_PASSKEY)
    expect(page).to_have_url(FRONT_PAGE)
    page.goto("/accounts/2fa/webauthn/add/")
    confirm_password(page)
    inspect(page)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Passkey added.")).to_be_visible()
    page.goto("/accounts/2fa/")
    inspect(page)
    follow(page, "Rename or remove them")
    inspect(page)
    follow(page, "Rename Laptop")
    inspect(page)
    page.goto("/accounts/2fa/webauthn/")
    follow(page, "Remove Laptop")
    inspect(page)
    page.goto("/accounts/2fa/webauthn/reauthenticate/")
    inspect(page)

    page.context.clear_cookies()
    page.goto("/accounts/login/?next=/o/harbor/files/")
    inspect(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(FILES)

    page.context.clear_cookies()
    enter_password(page, WITH_PASSKEY)
    expect(page.get_by_role("heading", name="Use your passkey")).to_be_visible()
    inspect(page)
    is_somebody_else = {"authenticatorId": added["authenticatorId"], "isUserVerified": False}
    device.send("WebAuthn.setUserVerified", is_somebody_else)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    inspect(page)
    device.send("WebAuthn.setUserVerified", is_somebody_else | {"isUserVerified": True})
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(FRONT_PAGE)


def test_single_sign_on_lets_a_member_in_and_tells_others_why_not(
    visitor: Page, issuer: Issuer
) -> None:
    page = visitor
    page.goto("/accounts/login/?next=/o/harbor/files/")
    issuer.claims = {"sub": "1", "email": "eve@north.example", "email_verified": True}
    page.get_by_role("button", name="Continue with single sign-on").click()
    expect(page.get_by_role("heading", name="You are not invited")).to_be_visible()
    inspect(page)

    issuer.claims = {"sub": "2", "email": WITH_ISSUER, "email_verified": True}
    page.goto("/accounts/login/?next=/o/harbor/files/")
    page.get_by_role("button", name="Continue with single sign-on").click()
    expect(page).to_have_url(FILES)


@pytest.mark.parametrize("path", ["sso/cancelled/", "confirm-email/", "confirm-email/old/"])
def test_axe_finds_nothing_on_the_pages_in_between(visitor: Page, path: str) -> None:
    visitor.goto(f"/accounts/{path}")
    inspect(visitor)


def test_at_an_ip_address_the_page_says_why_there_are_no_passkeys(page: Page) -> None:
    page.goto("/accounts/2fa/")
    expect(page.get_by_text("this board is at an IP address")).to_be_visible()
    inspect(page)
    assert page.get_by_role("link", name="Add a passkey").count() == 0
