"""The settings that a template keeps, and the request that they make for an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jobs.models import ProviderAccount, TemplateVersion
from jobs.submission.stored_request import dump_request, load_request
from jobs.submission.validation import SubmissionRefused
from organizations.encryption import Undecryptable
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest
from providers.http.redaction import redact, redact_url

_EMPTY = JobRequest(input="")


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """What a request takes from a template.

    `request` has neither an input nor `extra`; `extra` has one for each provider, by its slug.
    """

    request: JobRequest = field(default=_EMPTY, repr=False)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def at(self, provider: str) -> JobRequest:
        """The request that they make at a provider, still without an input."""
        return replace(self.request, extra=dict(self.extra.get(provider, {})))


def settings_of(
    request: JobRequest, provider: str, before: TemplateSettings | None = None
) -> TemplateSettings:
    """The settings that `request` has at a provider; `extra` of others stays as it was before."""
    extra = {**before.extra} if before else {}
    extra[provider] = dict(request.extra)
    return TemplateSettings(replace(request, input="", extra={}), _without_empty(extra))


def request_from(
    version: TemplateVersion, account: ProviderAccount, overrides: Mapping[str, Any]
) -> JobRequest:
    """The request that a template makes at `account`.

    `overrides` are fields of JobRequest, the input among them. Each replaces that of the template,
    but for `extra`, whose keys are added to the template's. Raises SubmissionRefused where the
    template is archived or cannot be decrypted.
    """
    if version.template.is_archived:
        raise SubmissionRefused([RequestIssue("template", "template_archived")])
    try:
        stored = read_settings(version).at(account.provider)
    except Undecryptable as error:
        unreadable = RequestIssue("template", "template_unreadable", {"reason": error})
        raise SubmissionRefused([unreadable]) from error
    extra = {**stored.extra, **overrides.get("extra", {})}
    return replace(stored, **{**overrides, "extra": extra})


def read_settings(version: TemplateVersion) -> TemplateSettings:
    """The settings with their secrets. Raises Undecryptable."""
    return _load(version.settings)


def shown_settings(version: TemplateVersion) -> TemplateSettings:
    """The settings as people may see them."""
    return _load(version.shown)


def dump_settings(settings: TemplateSettings) -> dict[str, Any]:
    """As JSON values: a request's without its input, with `extra` by provider."""
    fields = dump_request(settings.request) | {"extra": _without_empty(settings.extra)}
    del fields["input"]
    return fields


def redact_settings(settings: TemplateSettings) -> dict[str, Any]:
    """As `dump_settings`, without secrets."""
    fields: dict[str, Any] = redact(dump_settings(settings))
    if destination := settings.request.destination:
        fields["destination"] = redact_url(destination)
    return fields


def _load(value: Mapping[str, Any]) -> TemplateSettings:
    request = load_request({**value, "input": "", "extra": {}})
    return TemplateSettings(request, value.get("extra", {}))


def _without_empty(extra: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {slug: dict(values) for slug, values in extra.items() if values}
