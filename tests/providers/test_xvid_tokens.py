"""Signing in at Xvid: its own grant, one token for the process, renewed in time and once more."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import AuthRefused, BadAnswer, NotFound, ProviderError, TimedOut
from providers.core.types import JobRequest
from providers.http.client import HttpClient
from providers.http.tokens import RENEW_BEFORE_S, TOKENS, Token, TokenStore, owner_of
from providers.xvid.adapter import Xvid
from tests.waiting import PATIENCE_S

BASE = "https://xvid.example.com/v1"
SECRET = "canary+se/cret&=%42"
BAD_TOKEN = {"error": {"error_code": "0x0000003", "error_message": "Invalid access token"}}


@pytest.fixture(autouse=True)
def no_token_held() -> Iterator[None]:
    TOKENS.clear()
    yield
    TOKENS.clear()


def make_xvid(http: HttpClient, base_url: str = BASE, secret: str = SECRET) -> Xvid:
    return Xvid(Account(base_url, {"client_id": "client", "client_secret": secret}), http)


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_xvid(http)


def grant(wire: responses.RequestsMock, token: str, expires_in: Any = "7200") -> None:
    """Answer the next sign-in with this token."""
    wire.post(f"{BASE}/oauth2/token/", json={"access_token": token, "expires_in": expires_in})


def sent(wire: responses.RequestsMock) -> list[str]:
    """What was called, and with which token."""
    return [
        call.request.headers.get("Authorization", str(call.request.url).removeprefix(BASE))
        for call in wire.calls
    ]


def test_the_grant_is_xvids_own_form_encoded_at_a_url_with_a_slash(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    grant(wire, "first")
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    xvid.check_credentials()
    request = wire.calls[0].request
    assert (request.method, request.url) == ("POST", f"{BASE}/oauth2/token/")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(str(request.body)) == {
        "grant_type": ["client_credential"],
        "client_id": ["client"],
        "client_secret": [SECRET],
    }
    assert "Authorization" not in request.headers
    assert wire.calls[1].request.headers["Authorization"] == "Bearer first"


def test_one_token_serves_all_adapters_of_an_account(
    http: HttpClient, wire: responses.RequestsMock
) -> None:
    grant(wire, "first")
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    for base_url in (BASE, f"{BASE}/", BASE):
        make_xvid(http, base_url).check_credentials()
    assert sent(wire) == ["/oauth2/token/", *["Bearer first"] * 3]


def test_a_new_secret_or_another_host_has_a_token_of_its_own(
    http: HttpClient, wire: responses.RequestsMock
) -> None:
    grant(wire, "first")
    grant(wire, "second")
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    make_xvid(http).check_credentials()
    make_xvid(http, secret="another").check_credentials()
    assert sent(wire)[1::2] == ["Bearer first", "Bearer second"]
    owners = {
        owner_of(BASE, "client", SECRET),
        owner_of("https://other.example.com/v1", "client", SECRET),
        owner_of(BASE, "client", "another"),
        owner_of(BASE, "clien", "t" + SECRET),
    }
    assert len(owners) == 4
    assert not any(SECRET in owner for owner in owners)


@pytest.mark.parametrize("expires_in", [7200, "7200", 7200.5, None, "soon", {}])
def test_a_life_as_number_text_or_nonsense_is_a_life(
    xvid: Xvid, wire: responses.RequestsMock, expires_in: Any
) -> None:
    grant(wire, "first", expires_in)
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    xvid.check_credentials()
    xvid.check_credentials()
    assert sent(wire) == ["/oauth2/token/", "Bearer first", "Bearer first"]


@pytest.mark.parametrize("expires_in", ["29", 29, 0, -5])
def test_a_token_about_to_end_is_renewed_before_it_is_used(
    xvid: Xvid, wire: responses.RequestsMock, expires_in: Any
) -> None:
    grant(wire, "first", expires_in)
    grant(wire, "second")
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    xvid.check_credentials()
    xvid.check_credentials()
    assert sent(wire) == ["/oauth2/token/", "Bearer first", "/oauth2/token/", "Bearer second"]


def test_a_refused_token_is_renewed_once_and_the_request_sent_again(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    grant(wire, "first")
    grant(wire, "second")
    wire.get(f"{BASE}/jobs/", json=BAD_TOKEN, status=403)
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    xvid.check_credentials()
    xvid.check_credentials()
    assert sent(wire) == [
        *("/oauth2/token/", "Bearer first", "/oauth2/token/", "Bearer second"),
        "Bearer second",
    ]


def test_a_second_403_is_the_end_and_names_the_scopes(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    grant(wire, "canary-first")
    grant(wire, "canary-second")
    reported = {"error": {"error_code": "0x0000003", "error_message": "No: canary-second"}}
    wire.get(f"{BASE}/jobs/77", json=reported, status=403)
    with pytest.raises(AuthRefused, match="mediahub_read") as caught:
        xvid.get_job("77")
    assert len(wire.calls) == 4
    assert caught.value.code == "0x0000003"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_sign_in_is_reported_as_such(
    xvid: Xvid, wire: responses.RequestsMock, status: int
) -> None:
    wire.post(f"{BASE}/oauth2/token/", json={"error": {"error_code": "0x1"}}, status=status)
    with pytest.raises(AuthRefused, match="client id or the secret"):
        xvid.check_credentials()
    assert len(wire.calls) == 1


@pytest.mark.parametrize("body", [{}, [], None, {"access_token": None}, {"access_token": {}}])
def test_a_sign_in_without_a_token_is_a_bad_answer(
    xvid: Xvid, wire: responses.RequestsMock, body: Any
) -> None:
    wire.post(f"{BASE}/oauth2/token/", json=body)
    with pytest.raises(BadAnswer):
        xvid.check_credentials()


def test_a_base_url_without_such_an_endpoint_is_no_fault_of_the_credentials(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.post(f"{BASE}/oauth2/token/", status=404)
    with pytest.raises(NotFound):
        xvid.check_credentials()


@pytest.mark.parametrize("status", [500, 504])
def test_a_failed_sign_in_leaves_no_doubt_whether_a_job_was_created(
    xvid: Xvid, wire: responses.RequestsMock, status: int
) -> None:
    wire.post(f"{BASE}/oauth2/token/", status=status)
    with pytest.raises(ProviderError) as caught:
        xvid.submit(JobRequest("https://h/a.mov", extra={"outputs": [{}]}), "k" * 32)
    assert caught.value.transient
    assert not caught.value.ambiguous


# A ready token


def test_a_ready_token_is_sent_as_it_is_and_nobody_signs_in(
    http: HttpClient, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    Xvid(Account(BASE, {"token": "canary-ready"}), http).check_credentials()
    assert sent(wire) == ["Bearer canary-ready"]


def test_a_ready_token_that_expired_is_refused_credentials(
    http: HttpClient, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/", json=BAD_TOKEN, status=403)
    with pytest.raises(AuthRefused, match="may have expired") as caught:
        Xvid(Account(BASE, {"token": "canary-ready"}), http).check_credentials()
    assert len(wire.calls) == 1
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({}, "token"),
        ({"client_id": "c"}, "client_secret"),
        ({"client_secret": "s"}, "client_id"),
        ({"token": "t"}, None),
        ({"client_id": "c", "token": "t"}, None),
        ({"client_id": "c", "client_secret": "s"}, None),
    ],
)
def test_an_account_needs_a_client_with_its_secret_or_a_token(
    credentials: dict[str, str], field: str | None
) -> None:
    sentence = "Xvid MediaHub needs Client id and Client secret, or Token."
    expected = {field: sentence} if field else {}
    assert Xvid.check_credentials_given(credentials, {}) == expected


# The store


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_store_fetches_again_thirty_seconds_before_the_end() -> None:
    clock = Clock()
    store = TokenStore(clock)
    names = iter("abc")

    def fetch() -> Token:
        return Token(next(names), clock.now + 7200)

    assert store.get("owner", fetch) == "a"
    clock.now += 7200 - RENEW_BEFORE_S - 1
    assert store.get("owner", fetch) == "a"
    clock.now += 1
    assert store.get("owner", fetch) == "b"
    assert store.get("owner", fetch, refused="a") == "b"  # somebody else has renewed it
    assert store.get("owner", fetch, refused="b") == "c"


def test_of_many_threads_one_fetches_and_others_do_not_wait_for_it() -> None:
    store = TokenStore()
    fetched: list[str] = []
    is_slow, may_end = threading.Event(), threading.Event()

    def fetch_slowly() -> Token:
        fetched.append("slow")
        is_slow.set()
        assert may_end.wait(PATIENCE_S)
        return Token("slow", store.clock() + 7200)

    with ThreadPoolExecutor(9) as pool:
        answers = [pool.submit(store.get, "slow", fetch_slowly) for _ in range(8)]
        assert is_slow.wait(PATIENCE_S)
        quick = pool.submit(store.get, "quick", lambda: Token("quick", store.clock() + 7200))
        assert quick.result(timeout=PATIENCE_S) == "quick"
        may_end.set()
        assert {answer.result(timeout=PATIENCE_S) for answer in answers} == {"slow"}
    assert fetched == ["slow"]


def test_a_failed_fetch_leaves_the_store_usable() -> None:
    store = TokenStore()

    def fail() -> Token:
        raise TimedOut("No answer came in time.")

    with pytest.raises(TimedOut):
        store.get("owner", fail)
    assert store.get("owner", lambda: Token("t", store.clock() + 7200)) == "t"


def test_a_token_does_not_show_itself() -> None:
    assert "canary" not in repr(Token("canary", 1.0))
