"""The form for a new job, with the fields that mean something at the chosen account."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.utils import timezone

from jobs.forms.job_copy import JobCopy, StoredValues
from jobs.forms.job_fields import JobFields
from jobs.forms.job_values import preset_choices
from jobs.forms.templates.choice import (
    TemplateChoice,
    find_differences,
    find_left_out,
    template_choices,
)
from jobs.forms.widgets import (
    AccountTile,
    Deviation,
    FieldNote,
    read_tiles,
)
from jobs.models import Job, ProviderAccount, StoredLocation, TemplateVersion
from organizations.models import Organization
from providers.core.contract import Provider
from providers.core.issues import LEFT_OUT, RequestIssue
from providers.core.types import Capability, JobRequest

# as many accounts are chosen from side by side
TILES = 8
# what the fields that not every provider has are about, as a list below the accounts
ABILITIES = {
    "presets": "Presets",
    "hls": "HLS",
    "mp4": "MP4",
    "destination": "Destination",
    "thumbnails": "Thumbnails",
    "test": "Test mode",
}
# by field: what is said where a provider needs one and none is chosen
NONE_CHOSEN = {"presets": "Choose at least one preset.", "hls": "Choose at least one height."}


class JobForm(JobFields):
    """A JobRequest, and the account that it goes to."""

    def __init__(
        self,
        organization: Organization,
        *args: Any,
        copied: JobCopy | None = None,
        template: TemplateChoice | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.copied, self.filled_from = copied, template
        # shown again, unsent, since another account was chosen meanwhile
        self.is_switched = False
        # the job that did the same within a day, and held this submission up
        self.duplicate: Job | None = None
        # the unfinished retry of the job that this form retries, which held the submission up
        self.unfinished: Job | None = None
        # what the provider says about the request, by field
        self.notes: dict[str, list[FieldNote]] = {}
        self.deviations: list[Deviation] = []
        # the fields that the chosen account's provider has no use for
        self.absent: list[str] = []
        self.accounts = submitting_accounts(organization)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - tells mypy
        self.has_tiles = len(self.accounts) <= TILES
        if self.has_tiles:
            field.widget = forms.RadioSelect()
        ids = [one.pk for one in self.accounts]
        field.queryset = ProviderAccount.objects.filter(pk__in=ids).order_by("name")
        self.fields["idempotency_key"].initial = uuid.uuid4().hex
        self.chosen = self._find_account()
        if self.chosen:
            # a list shows its first account as chosen, and radio buttons none
            self.initial["account"] = self.chosen.pk
            self._configure_for(self.chosen)
        self._offer_templates(organization)
        self._offer_locations(organization)

    def _find_account(self) -> ProviderAccount | None:
        """The chosen account, else the first one; None where there is none."""
        chosen = str((self.data if self.is_bound else self.initial).get("account"))
        found = (one for one in self.accounts if str(one.pk) == chosen)
        return next(found, self.accounts[0] if self.accounts else None)

    def _configure_for(self, account: ProviderAccount) -> None:
        """Keep the fields that mean something at this account's provider, with its help texts."""
        adapter_class = account.adapter_class
        for name, text in adapter_class.request_help.items():
            self.fields[name].help_text = text or ""
            # an example from another provider would mislead
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.absent = [name for name, is_used in _used_fields(adapter_class).items() if not is_used]
        for name in self.absent:
            del self.fields[name]
        if adapter_class.thumbnails:
            self.offer_thumbnails(adapter_class.thumbnails)
        if not adapter_class.packagings and "hls" in self.fields:
            self.fields["hls"].label = "Heights"
        self.offer_heights(adapter_class.heights)
        if isinstance(presets := self.fields.get("presets"), forms.MultipleChoiceField):
            presets.choices = preset_choices(account)

    @property
    def chosen_version(self) -> TemplateVersion | None:
        return self.filled_from.version if self.filled_from else None

    def _offer_templates(self, organization: Organization) -> None:
        field, chosen = self.fields["template"], self.chosen_version
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - tells mypy
        choices = template_choices(organization, self.chosen, chosen)
        field.choices = [("", "None"), *choices]
        self.initial["template"] = chosen.pk if chosen else ""
        if not choices:
            del self.fields["template"]

    def _offer_locations(self, organization: Organization) -> None:
        """Suggest stored sources and destinations where their fields are."""
        stored = StoredLocation.objects.for_organization(organization)
        names = list(stored.values_list("name", "is_source", "is_destination"))
        self.suggestions = {
            "input": [name for name, is_source, _ in names if is_source],
            "destination": [name for name, _, is_destination in names if is_destination],
        }
        for field, found in self.suggestions.items():
            if found and field in self.fields:
                self.fields[field].widget.attrs["list"] = f"stored-{field}"

    @property
    def template_differences(self) -> list[str]:
        """Which fields are not as the template filled them in."""
        if self.filled_from is None:
            return []
        typed = {name: self[name].value() for name in self.fields}
        return find_differences(typed, self.filled_from.values)

    @property
    def template_left_out(self) -> list[str]:
        """What the template says that means nothing at the chosen account."""
        return find_left_out(self.absent, self.filled_from.values) if self.filled_from else []

    @property
    def tiles(self) -> Iterator[AccountTile]:
        return read_tiles(self["account"], self.accounts, timezone.now())

    @property
    def abilities(self) -> list[tuple[str, bool]]:
        """What the chosen account takes, then what it does not; with presets, no heights."""
        left_out = ("hls", "mp4") if "presets" in self.fields else ()
        names = sorted(ABILITIES.keys() - left_out, key=[*ABILITIES].index)
        taken = [(ABILITIES[name], True) for name in names if name in self.fields]
        # an abbreviation stays as it is
        others = [ABILITIES[name] for name in names if name not in self.fields]
        return taken + [(one if one.isupper() else one.lower(), False) for one in others]

    @property
    def wrong_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.errors]

    def clean(self) -> dict[str, Any]:
        """With other errors, say that nothing is chosen too; without, the provider says it."""
        data = self.cleaned_data
        fields = [name for name in ("presets", "hls", "mp4") if name in self.fields]
        is_empty = not (data.get("extra") or any(data.get(name, True) for name in fields))
        if self.errors and fields and is_empty:
            self.add_error(fields[0], NONE_CHOSEN[fields[0]])
        return data

    @property
    def stored(self) -> list[StoredValues]:
        """What the form was filled in with, the last first: its secrets are not on the page."""
        return [one for one in (self.filled_from, self.copied) if one]

    def to_request(self) -> JobRequest:
        """The request of a valid form, with the stored secrets of its template and its copy."""
        request = self._read_request()
        for one in self.stored:
            request = one.restore(request)
        return request

    def _read_request(self) -> JobRequest:
        return self.read_request(self.chosen.adapter_class.preset_field if self.chosen else None)

    def find_field(self, issue: RequestIssue) -> str | None:
        """The field that an issue is about; None where the form has none for it."""
        name, _, inner = issue.field.partition("[")[0].partition(".")
        names = ("hls", "presets") if name == "renditions" else (f"{name}_{inner}", name)
        return next((one for one in names if one in self.fields), None)

    def add_issues(self, issues: Iterable[RequestIssue]) -> None:
        """Put each sentence at the field that it is about."""
        for issue in issues:
            self.add_error(self.find_field(issue), self._phrase(issue))

    def _phrase(self, issue: RequestIssue) -> str:
        """The sentence for a form, where the provider's is about a request of the API."""
        name = self.find_field(issue)
        is_empty = name in NONE_CHOSEN and not self.cleaned_data.get(name)
        # either packaging would do
        is_empty = is_empty and not self.cleaned_data.get("mp4")
        return NONE_CHOSEN[name] if is_empty and name and issue.blocking else issue.message

    def check_copied(self) -> list[RequestIssue]:
        """Which fields of a valid form are sent with a stored secret; blocking where it expired."""
        request, issues = self._read_request(), list[RequestIssue]()
        for one in self.stored:
            issues += one.describe_use(request, timezone.now())
            request = one.restore(request)
        return issues

    def note_copied(self) -> None:
        """Say at an unsent form's fields what is sent with a stored secret."""
        for one in self.stored[:1]:
            self.note(one.describe_use(one.shown, timezone.now()))

    @property
    def noted_fields(self) -> list[forms.BoundField]:
        """The fields that have a place for notes."""
        without = ("mp4", "allow_duplicate", "template", "save_as")
        fields = (one for one in self.visible_fields() if one.name not in without)
        # those of thumbnails share one
        return [one for one in fields if not one.name.startswith("thumbnails_")]

    def note(self, issues: Iterable[RequestIssue]) -> list[str]:
        """Keep what is about a field to be shown there, and what is not sent as it was entered in
        `deviations`; return the sentences of the rest."""
        rest = []
        for issue in issues:
            if issue.is_deviation:
                label = issue.field.partition(".")[0].partition("[")[0].capitalize()
                self.deviations.append(Deviation(label, issue.message, issue.code in LEFT_OUT))
            elif name := self.find_field(issue):
                message = self._phrase(issue) if self.is_bound else issue.message
                place = "thumbnails" if name.startswith("thumbnails_") else name
                self.notes.setdefault(place, []).append(FieldNote(message, issue.blocking))
            else:
                rest.append(issue.message)
        return rest


def submitting_accounts(organization: Organization) -> list[ProviderAccount]:
    """Accounts that take jobs; a paused one, too, which holds them until it is resumed."""
    accounts = ProviderAccount.objects.for_organization(organization).order_by("name")
    return [
        account
        for account in accounts.defer("credentials", "hook_secret")
        if account.adapter_class.supports(Capability.SUBMIT)
    ]


def _used_fields(adapter_class: type[Provider]) -> dict[str, bool]:
    """The fields that not every provider has a use for, and whether this one does."""
    thumbnails = adapter_class.thumbnails
    sizes = thumbnails.sizes if thumbnails else ()
    has_presets = adapter_class.preset_field is not None
    used = {
        "test": adapter_class.supports(Capability.TEST_MODE),
        "thumbnails": thumbnails is not None,
        "thumbnails_by": thumbnails is not None,
        "thumbnails_formats": bool(thumbnails and thumbnails.formats),
        "thumbnails_filters": bool(thumbnails and len(thumbnails.filters) > 1),
        "thumbnails_width": "width" in sizes,
        "thumbnails_height": "height" in sizes,
        "presets": has_presets,
        "hls": not has_presets,
        "mp4": not has_presets and bool(adapter_class.packagings),
    }
    return used | {name: text is not None for name, text in adapter_class.request_help.items()}
