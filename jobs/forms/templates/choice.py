"""The template that the form for a new job was filled in with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from jobs.forms.job_copy import StoredValues
from jobs.forms.job_values import request_values
from jobs.models import ProviderAccount, TemplateVersion
from jobs.submission.templates.settings import read_settings, shown_settings
from organizations.encryption import Undecryptable
from organizations.models import Organization

# The fields that a person takes for one, by the word for it
GROUPS = {
    "destination": "destination",
    **dict.fromkeys(("hls", "mp4", "presets"), "renditions"),
    **dict.fromkeys(
        ("thumbnails", "thumbnails_by", "thumbnails_formats", "thumbnails_filters"), "thumbnails"
    ),
    **dict.fromkeys(("thumbnails_width", "thumbnails_height"), "thumbnails"),
    "metadata": "metadata",
    "test": "test mode",
    "priority": "priority",
    "extra": "extra settings",
}
# where the template says nothing of these, the provider's own choice is filled in
_DECIDED = ("thumbnails_by", "thumbnails_formats", "thumbnails_filters")


@dataclass(frozen=True, slots=True)
class TemplateChoice(StoredValues):
    """A version of a template, with the request that it makes at an account."""

    version: TemplateVersion
    # of the form's fields
    values: Mapping[str, Any]

    @classmethod
    def at(cls, version: TemplateVersion, account: ProviderAccount) -> Self:
        """Without the key of its secrets, the redacted values stay, and are refused when sent."""
        shown = shown_settings(version).at(account.provider)
        values = request_values(shown, account)
        del values["input"]
        try:
            return cls(read_settings(version).at(account.provider), shown, version, values)
        except Undecryptable:
            return cls(shown, shown, version, values)


def template_choices(
    organization: Organization, account: ProviderAccount | None, chosen: TemplateVersion | None
) -> list[tuple[int, str]]:
    """The newest versions by name, and the chosen one where it is older. One query."""
    versions = list(TemplateVersion.objects.selectable(organization))
    if chosen and chosen not in versions:
        versions.append(chosen)
    default = account and account.default_template_id
    return [
        (
            one.pk,
            f"{one} (default here)" if one.template_id == default and one.is_newest else f"{one}",
        )
        for one in versions
    ]


def find_differences(typed: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """Which groups of fields are not as the template's `values` fill them in."""
    changed = [
        name
        for name in GROUPS.keys() & typed.keys() & values.keys()
        if _plain(typed[name]) != _plain(values[name])
        and (name not in _DECIDED or _plain(values[name]))
    ]
    return in_order(changed)


def find_left_out(absent: Iterable[str], values: Mapping[str, Any]) -> list[str]:
    """Which groups the template fills in that the account's provider has no use for."""
    return in_order(name for name in absent if name in GROUPS and _plain(values.get(name)))


def in_order(names: Iterable[str]) -> list[str]:
    found = {GROUPS[name] for name in names}
    return [group for group in dict.fromkeys(GROUPS.values()) if group in found]


def _plain(value: Any) -> Any:
    """A field's value as it can be compared, whether typed or filled in."""
    if isinstance(value, list | tuple):
        return sorted(map(str, value)) or ""
    return "" if value in (None, False) else str(value).replace("\r\n", "\n").strip()
