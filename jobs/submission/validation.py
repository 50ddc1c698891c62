"""Whether a request can be submitted: our own rules, then the provider's. Sends nothing."""

from collections.abc import Sequence
from typing import Any

from jobs.accounts.clients import open_provider
from jobs.media.urls import check_url
from jobs.models import ProviderAccount
from jobs.storage.references import LocationRefused, Locations, resolve
from providers.core.errors import ProviderError, Rejected
from providers.core.issues import RequestIssue
from providers.core.types import Capability, JobRequest
from providers.http.redaction import REDACTED, has_marker, redact


class SubmissionRefused(Exception):
    """The request cannot be submitted as it is; `issues` say what to change."""

    def __init__(self, issues: list[RequestIssue]) -> None:
        super().__init__(" ".join(issue.message for issue in issues))
        self.issues = issues


def check(account: ProviderAccount, request: JobRequest) -> list[RequestIssue]:
    """What is wrong with a request, by our rules and the provider's."""
    return check_all(account, [request])[0]


def check_all(account: ProviderAccount, requests: Sequence[JobRequest]) -> list[list[RequestIssue]]:
    """As `check`, of each of them; what is wrong with the account is said of every one."""
    if not account.adapter_class.supports(Capability.SUBMIT):
        unsupported = account.adapter_class.refuse("account", "submit_unsupported")
        return [[unsupported] for _ in requests]
    locations = Locations(account.organization)
    pairs = [_resolve(account, one, locations) for one in requests]
    found = [issues or _find_redacted(one) or _find_bad_urls(account, one) for one, issues in pairs]
    if all(found):
        return found
    try:
        with open_provider(account) as adapter:
            return [
                issues or adapter.check_request(one)
                for issues, (one, _) in zip(found, pairs, strict=True)
            ]
    except ProviderError as error:
        unusable = RequestIssue("account", "account_unusable", {"reason": error})
        return [issues or [unusable] for issues in found]


def preview(account: ProviderAccount, request: JobRequest) -> dict[str, Any]:
    """The body that would be sent, redacted. Raises ProviderError."""
    request = resolve_or_reject(account, request)
    with open_provider(account) as adapter:
        body: dict[str, Any] = redact(adapter.build_request(request))
        return body


def resolve_or_reject(account: ProviderAccount, request: JobRequest) -> JobRequest:
    """`request` with the URLs and credentials of what it names, to be sent. Raises Rejected."""
    try:
        return resolve(account, request)
    except LocationRefused as error:
        raise Rejected(str(error)) from error


def _resolve(
    account: ProviderAccount, request: JobRequest, locations: Locations
) -> tuple[JobRequest, list[RequestIssue]]:
    try:
        return resolve(account, request, locations), []
    except LocationRefused as error:
        return request, [error.issue]


def _find_redacted(request: JobRequest) -> list[RequestIssue]:
    """The fields of a request that hold the placeholder that we show instead of a secret."""
    names = ("input", "destination", "metadata", "extra")
    return [
        RequestIssue(name, "value_redacted", {"marker": REDACTED})
        for name in names
        if has_marker(getattr(request, name))
    ]


def _find_bad_urls(account: ProviderAccount, request: JobRequest) -> list[RequestIssue]:
    urls = {"input": request.input}
    if request.destination:
        urls["destination"] = request.destination
    for name, url in urls.items():
        try:
            check_url(url, schemeless_allowed=account.adapter_class.accepts_schemeless_inputs)
        except ValueError as error:
            return [RequestIssue(name, "url_invalid", {"reason": error})]
    return []
