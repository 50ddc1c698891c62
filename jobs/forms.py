"""What people fill in: a job to submit, and a provider account."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django import forms

from jobs.accounts import COMMON_OPTIONS
from jobs.models import Job, ProviderAccount
from organizations.models import Organization
from providers.base import Provider
from providers.types import Capability, JobRequest, Rendition, RequestIssue, Thumbnails

HEIGHTS = (240, 360, 480, 720, 1080)
MAX_THUMBNAILS = 100


class JobForm(forms.Form):
    """A JobRequest, and the account that it goes to.

    The fields that a provider's complaint may name are called as those of JobRequest are; for
    the two fields of renditions `add_issues` knows the way.
    """

    account = forms.ModelChoiceField(ProviderAccount.objects.none(), empty_label=None)
    input = forms.CharField(
        label="Source file",
        max_length=4000,
        help_text="An address that the provider can read: https, s3, ftp and the like.",
        widget=forms.TextInput(
            attrs={"placeholder": "https://media.example/clip.mp4", "autocomplete": "off"}
        ),
    )
    destination = forms.CharField(
        required=False,
        max_length=4000,
        help_text="A folder that the provider can write to. Without one the provider decides.",
        widget=forms.TextInput(attrs={"placeholder": "s3://bucket/folder/", "autocomplete": "off"}),
    )
    hls = forms.TypedMultipleChoiceField(
        label="HLS",
        coerce=int,
        choices=[(height, f"{height}p") for height in HEIGHTS],
        initial=[240, 360, 480],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    mp4 = forms.TypedMultipleChoiceField(
        label="MP4",
        coerce=int,
        choices=[(height, f"{height}p") for height in HEIGHTS],
        initial=[360],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    thumbnails = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_THUMBNAILS,
        initial=4,
        help_text="How many pictures, evenly spread. 0 for none.",
    )
    metadata = forms.CharField(
        required=False,
        max_length=4000,
        help_text="Comes back with the job as it is: text or JSON of your own.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    test = forms.BooleanField(
        label="Test mode", required=False, help_text="Free of charge, and cut after a few seconds."
    )
    priority = forms.IntegerField(required=False)
    extra = forms.CharField(
        label="Extra settings",
        max_length=20_000,
        required=False,
        help_text="A JSON object in the provider's own words. It is merged in last and wins.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "code"}),
    )
    allow_duplicate = forms.BooleanField(label="Run it anyway", required=False)
    # made with the form, so that sending it twice makes one job
    idempotency_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    retry_of = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # the job that did the same within a day, once a submission was held up by it
        self.duplicate: Job | None = None
        accounts = submitting_accounts(organization)
        chosen = self.fields["account"]
        assert isinstance(chosen, forms.ModelChoiceField)  # noqa: S101 - tells mypy
        chosen.queryset = ProviderAccount.objects.filter(pk__in=[one.pk for one in accounts])
        if not _any_supports(accounts, Capability.TEST_MODE):
            del self.fields["test"]
        if not _any_supports(accounts, Capability.PRIORITY):
            del self.fields["priority"]
        if not _any_supports(accounts, Capability.THUMBNAILS):
            del self.fields["thumbnails"]
        self.fields["idempotency_key"].initial = uuid.uuid4().hex
        dress(self)

    def clean_extra(self) -> dict[str, Any]:
        try:
            extra = json.loads(self.cleaned_data["extra"] or "{}")
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from None
        if not isinstance(extra, dict):
            raise forms.ValidationError("Give a JSON object: {…}.")
        return extra

    def clean_metadata(self) -> Any:
        text: str = self.cleaned_data["metadata"].strip()
        try:
            return json.loads(text) if text[:1] in ("{", "[") else text or None
        except ValueError:
            return text

    def to_request(self) -> JobRequest:
        """The request of a valid form."""
        data = self.cleaned_data
        count = data.get("thumbnails")
        return JobRequest(
            input=data["input"].strip(),
            destination=data["destination"].strip() or None,
            renditions=tuple(
                Rendition(packaging, tuple(data[packaging]))
                for packaging in ("hls", "mp4")
                if data[packaging]
            ),
            thumbnails=Thumbnails(count=count) if count else None,
            metadata=data["metadata"],
            test=data.get("test", False),
            priority=data.get("priority"),
            extra=data["extra"],
        )

    def add_issues(self, issues: Iterable[RequestIssue]) -> None:
        """Put each sentence at the field that it is about."""
        for issue in issues:
            name = issue.field.partition("[")[0].partition(".")[0]
            name = {"renditions": "hls"}.get(name, name)
            self.add_error(name if name in self.fields else None, issue.message)


def initial_of(request: JobRequest) -> dict[str, Any]:
    """The form's values for a request that was sent before."""
    heights = {one.packaging: list(one.heights) for one in request.renditions}
    metadata = request.metadata
    return {
        "input": request.input,
        "destination": request.destination or "",
        "hls": heights.get("hls", []),
        "mp4": heights.get("mp4", []),
        "thumbnails": (request.thumbnails and request.thumbnails.count) or 0,
        "metadata": metadata if isinstance(metadata, str) else _as_text(metadata),
        "test": request.test,
        "priority": request.priority,
        "extra": json.dumps(dict(request.extra), indent=2) if request.extra else "",
    }


def submitting_accounts(organization: Organization) -> list[ProviderAccount]:
    """Accounts that take jobs; a paused one, too, which holds them until it is resumed."""
    accounts = ProviderAccount.objects.for_organization(organization).order_by("name")
    return [
        account
        for account in accounts.defer("credentials", "hook_secret")
        if account.adapter_class.supports(Capability.SUBMIT)
    ]


class AccountForm(forms.Form):
    """One account of one provider: its fields are those that the adapter declares.

    Credentials are write-only: never shown, and kept when left empty.
    """

    name = forms.CharField(max_length=100, help_text="How it is called here.")
    base_url = forms.CharField(
        label="Base URL",
        max_length=500,
        required=False,
        help_text="Of the provider's API, with its version.",
    )

    def __init__(
        self,
        adapter_class: type[Provider],
        account: ProviderAccount | None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.adapter_class, self.account = adapter_class, account
        base_url = self.fields["base_url"]
        base_url.widget.attrs["placeholder"] = adapter_class.default_base_url
        if account:
            # the name is what the account is found by
            self.fields["name"].disabled = True
            self.fields["name"].initial = account.name
            base_url.initial = account.base_url
        for field in adapter_class.credential_fields:
            self.fields[field.name] = self._credential(field.label, field.help, field)
        for field in adapter_class.option_fields:
            self._add_option(field.name, field.label, field.help, required=field.required)
        for name, help_text in COMMON_OPTIONS.items():
            label = name.removesuffix("_s").replace("_", " ").capitalize()
            self._add_option(name, label, help_text, required=False)
        dress(self)

    def _credential(self, label: str, help_text: str, field: Any) -> forms.CharField:
        is_stored = bool(self.account and self.account.credentials.get(field.name))
        hint = "One is stored; leave this empty to keep it." if is_stored else ""
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        return forms.CharField(
            label=label,
            help_text=f"{help_text} {hint}".strip(),
            required=field.required and not is_stored,
            max_length=2000,
            widget=widget if field.secret else forms.TextInput(attrs={"autocomplete": "off"}),
        )

    def _add_option(self, name: str, label: str, help_text: str, *, required: bool) -> None:
        initial = self.account.options.get(name, "") if self.account else ""
        self.fields[name] = forms.CharField(
            label=label, help_text=help_text, required=required, initial=initial, max_length=500
        )

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in COMMON_OPTIONS]

    @property
    def pace_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name in COMMON_OPTIONS]

    @property
    def credentials(self) -> dict[str, str]:
        return self._values(field.name for field in self.adapter_class.credential_fields)

    @property
    def options(self) -> dict[str, str]:
        declared = [field.name for field in self.adapter_class.option_fields]
        return self._values([*declared, *COMMON_OPTIONS])

    def _values(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}


def dress(form: forms.Form) -> None:
    """Give every widget Tabler's classes, and fields with errors the mark of it."""
    for name, field in form.fields.items():
        dress_widget(field.widget, has_errors=form.is_bound and name in form.errors)


def dress_widget(widget: forms.Widget, *, has_errors: bool) -> None:
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
        css = "form-check-input"
    else:
        css = "form-select" if isinstance(widget, forms.Select) else "form-control"
    parts = [css, widget.attrs.get("class", ""), "is-invalid" if has_errors else ""]
    widget.attrs["class"] = " ".join(filter(None, parts))


def _any_supports(accounts: Iterable[ProviderAccount], capability: Capability) -> bool:
    return any(account.adapter_class.supports(capability) for account in accounts)


def _as_text(metadata: Any) -> str:
    return "" if metadata is None else json.dumps(metadata)
