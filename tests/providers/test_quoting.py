"""A refusal is shown with the provider's own message, whatever we make of its status."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.core.contract import Account, Provider
from providers.core.errors import Conflict, ProviderError
from providers.core.types import Capability
from providers.http.client import HttpClient
from providers.tpstreams.adapter import TPStreams
from providers.xvid.adapter import Xvid
from tests.providers.cases.shape import CANARY, Cases
from tests.providers.cases.xvid import HELD

KEY = "0123456789abcdef0123456789abcdef"
MESSAGE = "That job is from another season."
SHAPES: list[Callable[[str], Any]] = [
    lambda phrase: {"errors": [phrase]},
    lambda phrase: {"errors": phrase},
    lambda phrase: {"error": {"error_code": "0x0060001", "error_message": phrase}},
    lambda phrase: {"detail": phrase},
    lambda phrase: {"message": phrase},
    lambda phrase: {"input": [phrase]},
    lambda phrase: [phrase],
    lambda phrase: phrase,
]
ACTING = ("POST", "PUT", "DELETE")


def queued(cases: Cases) -> Any:
    return next(body for body, status in cases.jobs.values() if status == "queued")


def refuse(
    cases: Cases, wire: responses.RequestsMock, status: int, reported: Any
) -> list[Callable[[Provider], object]]:
    """Have every call that changes something refused; the calls that the provider has."""
    body = queued(cases)
    for answer in cases.read(body):
        answer.register(wire, cases.base_url)
    wire.get(cases.base_url + cases.list_path, json=cases.wrap_list([body]))
    for method in ACTING:
        wire.add(method, re.compile(re.escape(cases.base_url)), json=reported, status=status)
    calls: dict[Capability, Callable[[Provider], object]] = {
        Capability.SUBMIT: lambda adapter: adapter.submit(cases.request, KEY),
        Capability.CANCEL: lambda adapter: adapter.cancel(_listed_id(adapter)),
        Capability.RESUBMIT: lambda adapter: adapter.resubmit("77"),
    }
    return [call for capability, call in calls.items() if cases.provider.supports(capability)]


def _listed_id(adapter: Provider) -> str:
    return next(adapter.list_jobs()).jobs[0].remote_id


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 422, 429, 500, 503])
def test_a_refusal_holds_the_providers_message_once(
    cases: Cases, adapter: Provider, wire: responses.RequestsMock, status: int
) -> None:
    for shape in SHAPES if status in (400, 404, 422) else SHAPES[:2]:
        cases.prepare()
        wire.reset()
        for call in refuse(cases, wire, status, shape(MESSAGE)):
            with pytest.raises(ProviderError) as caught:
                call(adapter)
            assert str(caught.value).count(MESSAGE.rstrip(".")) == 1, (shape(""), str(caught.value))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
@pytest.mark.parametrize("about", ["", "video ", "already "])
def test_messages_that_repeat_a_credential_are_quoted_without_it(
    cases: Cases, wire: responses.RequestsMock, status: int, about: str
) -> None:
    # a 403 is followed by a sign-in, which does not send the token
    tokens = [HELD] if cases.provider is Xvid and status != 403 else []
    phrase = " ".join([f"Cannot {about}use", *cases.credentials.values(), *tokens])
    with HttpClient(
        allow_private_addresses=False, secrets=cases.credentials.values()
    ) as knowing_http:
        account = Account(cases.base_url, cases.credentials, cases.options)
        adapter = cases.provider(account, knowing_http)
        for call in refuse(cases, wire, status, {"errors": [phrase]}):
            with pytest.raises(ProviderError) as caught:
                call(adapter)
            assert f"Cannot {about}use" in str(caught.value)
            assert CANARY not in str(caught.value)


def test_a_cancellation_that_is_refused_with_a_success_is_quoted(
    http: HttpClient, wire: responses.RequestsMock
) -> None:
    adapter = TPStreams(
        Account("https://tp.example.com/v1", {"token": "canary-t"}, {"organization_id": "org"}),
        http,
    )
    reported = {"message": "Completed jobs cannot be cancelled with canary-t."}
    wire.delete(re.compile("https://tp.example.com/"), json=reported)
    with pytest.raises(Conflict, match="Completed jobs cannot be cancelled") as caught:
        adapter.cancel("77")
    assert CANARY not in str(caught.value)
