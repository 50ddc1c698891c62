"""What people fill in: a job to submit, and a provider account."""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from jobs.accounts.service import COMMON_OPTIONS, stored_names
from jobs.models import Job, Preset, ProviderAccount
from jobs.models.account import MAX_BASE_URL
from jobs.submission.copies import Source
from jobs.submission.idempotency import KEY_PATTERN, KEY_RULE
from jobs.submission.limits import MAX_HEIGHT, check_json, read_json
from organizations.models import Organization
from providers.core.contract import Provider
from providers.core.issues import RequestIssue
from providers.core.types import Capability, JobRequest, Rendition, Thumbnails

HEIGHTS = (240, 360, 480, 720, 1080)
MAX_THUMBNAILS = 100
PRESETS_SHOWN = 300
TOO_LONG = "Use at most %(limit_value)d characters; there are %(show_value)d."
WHOLE_NUMBER = "Enter a whole number."
# by field: what is said where a provider needs one and none is chosen
NONE_CHOSEN = {"presets": "Choose at least one preset.", "hls": "Choose at least one height."}


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What a form says beside a field before it is sent."""

    message: str
    blocking: bool


class AccountChoice(forms.ModelChoiceField[ProviderAccount]):
    """Accounts by name, each with its provider unless it is called like it."""

    def label_from_instance(self, account: ProviderAccount) -> str:
        label = account.provider_label
        return account.name if label in account.name else f"{account.name} ({label})"


class JobForm(forms.Form):
    """A JobRequest, and the account that it goes to.

    Its fields are those that mean something at that account's provider. The fields that a
    provider's complaint may name are called as those of JobRequest are; for those that stand for
    its renditions `find_field` knows the way.
    """

    account = AccountChoice(
        ProviderAccount.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose an account.",
            "invalid_choice": "Choose one of the accounts listed.",
        },
    )
    input = forms.CharField(
        label="Source file",
        max_length=4000,
        error_messages={
            "required": "Enter the URL of the source file.",
            "max_length": TOO_LONG,
        },
        help_text="An address that the provider can read: https, s3, ftp and the like.",
        widget=forms.TextInput(
            attrs={"placeholder": "https://media.example/clip.mp4", "autocomplete": "off"}
        ),
    )
    destination = forms.CharField(
        required=False,
        max_length=4000,
        error_messages={"max_length": TOO_LONG},
        help_text="A folder that the provider can write to. Without one the provider decides.",
        widget=forms.TextInput(attrs={"placeholder": "s3://bucket/folder/", "autocomplete": "off"}),
    )
    hls = forms.TypedMultipleChoiceField(
        label="HLS",
        coerce=int,
        error_messages={"invalid_choice": f"Choose heights from 1 to {MAX_HEIGHT:,}."},
        initial=[240, 360, 480],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    presets = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "This account has no preset %(value)s."},
        help_text="One output for each.",
    )
    mp4 = forms.TypedMultipleChoiceField(
        label="MP4",
        coerce=int,
        error_messages={"invalid_choice": f"Choose heights from 1 to {MAX_HEIGHT:,}."},
        initial=[360],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    thumbnails = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MAX_THUMBNAILS,
        initial=4,
        error_messages={
            "invalid": WHOLE_NUMBER,
            "min_value": f"Enter a number from 0 to {MAX_THUMBNAILS}.",
            "max_value": f"Enter a number from 0 to {MAX_THUMBNAILS}.",
        },
        help_text="How many pictures, evenly spread. 0 for none.",
    )
    thumbnail_interval = forms.FloatField(
        label="Seconds between thumbnails",
        required=False,
        min_value=0.1,
        initial=5,
        error_messages={"invalid": "Enter a number.", "min_value": "Enter 0.1 or more."},
    )
    metadata = forms.CharField(
        required=False,
        max_length=4000,
        error_messages={"max_length": TOO_LONG},
        help_text="Returned with the job, unchanged: any text or JSON.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    test = forms.BooleanField(
        label="Test mode", required=False, help_text="Free of charge, and cut after a few seconds."
    )
    priority = forms.IntegerField(required=False, error_messages={"invalid": WHOLE_NUMBER})
    extra = forms.CharField(
        label="Extra settings",
        max_length=20_000,
        required=False,
        error_messages={"max_length": TOO_LONG},
        help_text="A JSON object in the provider's own words. It is merged in last and wins.",
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "code"}),
    )
    allow_duplicate = forms.BooleanField(label="Run it anyway", required=False)
    # made with the form, so that sending it twice makes one job
    idempotency_key = forms.RegexField(
        KEY_PATTERN, max_length=64, widget=forms.HiddenInput, error_messages={"invalid": KEY_RULE}
    )
    retry_of = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # the job that `source` is of
    copied_from = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        organization: Organization,
        *args: Any,
        source: Source | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        # why a form that was sent is shown again although nothing in it is wrong
        self.warning = ""
        # the job that did the same within a day, once a submission was held up by it
        self.duplicate: Job | None = None
        # the unfinished retry of the job that this form retries, which held the submission up
        self.unfinished: Job | None = None
        # what the provider says to the request, by the field that it is about
        self.notes: dict[str, list[FieldNote]] = {}
        # the fields that the chosen account's provider has no use for
        self.absent: list[str] = []
        self.accounts = submitting_accounts(organization)
        field = self.fields["account"]
        assert isinstance(field, AccountChoice)  # noqa: S101 - tells mypy
        ids = [one.pk for one in self.accounts]
        field.queryset = ProviderAccount.objects.filter(pk__in=ids).order_by("name")
        self.fields["idempotency_key"].initial = uuid.uuid4().hex
        self.chosen = self._find_account()
        if self.chosen:
            self._suit(self.chosen)
        dress(self)

    def _find_account(self) -> ProviderAccount | None:
        """The account that is chosen, else the first; None without any."""
        wanted = str(self["account"].value())
        found = (one for one in self.accounts if str(one.pk) == wanted)
        return next(found, self.accounts[0] if self.accounts else None)

    def _suit(self, account: ProviderAccount) -> None:
        """Keep the fields that mean something at this account's provider, in its words."""
        adapter_class = account.adapter_class
        means = {
            "test": adapter_class.supports(Capability.TEST_MODE),
            "priority": adapter_class.supports(Capability.PRIORITY),
            "thumbnails": adapter_class.supports(Capability.THUMBNAILS),
            "thumbnail_interval": adapter_class.supports(Capability.THUMBNAILS)
            and not adapter_class.spreads_thumbnails,
            "presets": adapter_class.preset_field is not None,
            "hls": adapter_class.preset_field is None,
            "mp4": adapter_class.preset_field is None and bool(adapter_class.packagings),
        }
        for name, words in adapter_class.request_help.items():
            means[name] = words is not None
            self.fields[name].help_text = words or ""
            # an example of another provider's ways would belie them
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.absent = [name for name, is_meant in means.items() if not is_meant]
        for name in self.absent:
            del self.fields[name]
        if "thumbnail_interval" in self.fields:
            self.fields["thumbnails"].help_text = "How many pictures. 0 for none."
        if not adapter_class.packagings and "hls" in self.fields:
            self.fields["hls"].label = "Heights"
        for name in ("hls", "mp4"):
            if field := self.fields.get(name):
                assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - for mypy
                field.choices = _height_choices(self[name].value())
        if "presets" in self.fields:
            presets = self.fields["presets"]
            assert isinstance(presets, forms.MultipleChoiceField)  # noqa: S101 - tells mypy
            presets.choices = _preset_choices(account)

    def clean_extra(self) -> dict[str, Any]:
        try:
            extra = read_json(self.cleaned_data["extra"] or "{}")
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from None
        if not isinstance(extra, dict):
            raise forms.ValidationError("Give a JSON object: {…}.")
        return _check_json(extra)

    def clean_metadata(self) -> Any:
        text: str = self.cleaned_data["metadata"].strip()
        if text[:1] not in ("{", "["):
            return text or None
        try:
            return _check_json(read_json(text))
        except json.JSONDecodeError:
            return text
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from None

    def clean(self) -> dict[str, Any]:
        """With other errors, say that nothing is chosen too; without, the provider is asked."""
        data = self.cleaned_data
        fields = [name for name in ("presets", "hls", "mp4") if name in self.fields]
        is_empty = not (data.get("extra") or any(data.get(name, True) for name in fields))
        if self.errors and fields and is_empty:
            self.add_error(fields[0], NONE_CHOSEN[fields[0]])
        return data

    def to_request(self) -> JobRequest:
        """The request of a valid form, with the stored secrets of the job that it copies."""
        request = self._read_request()
        return self.source.restore(request) if self.source else request

    def _read_request(self) -> JobRequest:
        data = self.cleaned_data
        count = data.get("thumbnails")
        return JobRequest(
            input=data["input"].strip(),
            destination=data.get("destination", "").strip() or None,
            renditions=tuple(
                Rendition(packaging, tuple(data[packaging]))
                for packaging in ("hls", "mp4")
                if data.get(packaging)
            ),
            thumbnails=Thumbnails(count=count, interval_s=data.get("thumbnail_interval"))
            if count
            else None,
            metadata=data["metadata"],
            test=data.get("test", False),
            priority=data.get("priority"),
            extra=self._chosen_presets | data["extra"],
        )

    @property
    def _chosen_presets(self) -> dict[str, Any]:
        field = self.chosen and self.chosen.adapter_class.preset_field
        chosen = self.cleaned_data.get("presets")
        return {field: chosen} if field and chosen else {}

    def find_field(self, issue: RequestIssue) -> str | None:
        """The field that an issue is about; None where the form has none for it."""
        name = issue.field.partition("[")[0].partition(".")[0]
        names = ("hls", "presets") if name == "renditions" else (name,)
        return next((one for one in names if one in self.fields), None)

    def add_issues(self, issues: Iterable[RequestIssue]) -> None:
        """Put each sentence at the field that it is about."""
        for issue in issues:
            self.add_error(self.find_field(issue), self._phrase(issue))
        dress(self)

    def _phrase(self, issue: RequestIssue) -> str:
        """The sentence for a form, where the provider's is about a request of the API."""
        name = self.find_field(issue)
        is_empty = name in NONE_CHOSEN and not self.cleaned_data.get(name)
        # either packaging would do
        is_empty = is_empty and not self.cleaned_data.get("mp4")
        return NONE_CHOSEN[name] if is_empty and name and issue.blocking else issue.message

    def check_source(self) -> list[RequestIssue]:
        """What is to be said of the stored secrets that a valid form is sent with."""
        if self.source is None:
            return []
        return self.source.describe_use(self._read_request(), timezone.now())

    def note_source(self) -> None:
        """Say at an unsent form's fields what is sent with a stored secret."""
        if self.source:
            self.note(self.source.describe_use(self.source.shown, timezone.now()))

    @property
    def noted_fields(self) -> list[forms.BoundField]:
        """The fields that have a place for notes."""
        return [one for one in self.visible_fields() if one.name not in ("mp4", "allow_duplicate")]

    def note(self, issues: Iterable[RequestIssue]) -> list[str]:
        """Keep what is about a field to be shown there; return the sentences of the rest."""
        rest = []
        for issue in issues:
            if name := self.find_field(issue):
                message = self._phrase(issue) if self.is_bound else issue.message
                self.notes.setdefault(name, []).append(FieldNote(message, issue.blocking))
            else:
                rest.append(issue.message)
        return rest


def _check_json(value: Any) -> Any:
    try:
        return check_json(value)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None


def _height_choices(chosen: Any) -> list[tuple[int, str]]:
    """The usual heights, and those that a copied request or a sent form has beside them."""
    heights = {int(one) for one in chosen or () if re.fullmatch("[0-9]{1,4}", str(one))}
    offered = {height for height in heights if 1 <= height <= MAX_HEIGHT}
    return [(height, f"{height}p") for height in sorted(offered.union(HEIGHTS))]


def _preset_choices(account: ProviderAccount) -> list[tuple[str, str]]:
    named = Preset.objects.filter(account=account).exclude(name="")
    return [(one.remote_id, one.name) for one in named.order_by("name", "pk")[:PRESETS_SHOWN]]


def typed_values(data: QueryDict) -> dict[str, Any]:
    """What was typed into a form so far, as the initial values of one for another account."""
    lists = {name: data.getlist(name) for name in ("hls", "mp4", "presets") if name in data}
    return {**data.dict(), **lists}


def initial_of(request: JobRequest, account: ProviderAccount) -> dict[str, Any]:
    """The form's values for a request that was sent before."""
    heights: dict[str, list[int]] = {}
    for one in request.renditions:
        packaging = one.packaging if account.adapter_class.packagings else "hls"
        heights.setdefault(packaging, []).extend(one.heights)
    metadata, extra = request.metadata, dict(request.extra)
    presets = extra.get(account.adapter_class.preset_field or "")
    offered = {value for value, _ in _preset_choices(account)} if presets else set()
    if isinstance(presets, list) and offered.issuperset(presets):
        # ticked in their own field, so that there they can be changed
        del extra[account.adapter_class.preset_field or ""]
    else:
        presets = []
    return {
        "input": request.input,
        "destination": request.destination or "",
        "hls": heights.get("hls", []),
        "mp4": heights.get("mp4", []),
        "presets": presets,
        "thumbnails": (request.thumbnails and request.thumbnails.count) or 0,
        "thumbnail_interval": request.thumbnails and request.thumbnails.interval_s,
        "metadata": metadata if isinstance(metadata, str) else _as_text(metadata),
        "test": request.test,
        "priority": request.priority,
        "extra": json.dumps(extra, indent=2) if extra else "",
    }


def submitting_accounts(organization: Organization) -> list[ProviderAccount]:
    """Accounts that take jobs; a paused one, too, which holds them until it is resumed."""
    accounts = ProviderAccount.objects.for_organization(organization).order_by("name")
    return [
        account
        for account in accounts.defer("credentials", "hook_secret")
        if account.adapter_class.supports(Capability.SUBMIT)
    ]


class FoundJobForm(forms.Form):
    """A person's answer to "we don't know": the job is there, under this id."""

    found_remote_id = forms.CharField(max_length=255, strip=True)

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["found_remote_id"].label = f"Its id at {job.account.provider_label}"
        dress(self)


class SendAgainForm(forms.Form):
    """A person's other answer: it is not there. What they looked for cannot be looked up here."""

    send_again = forms.BooleanField(
        error_messages={"required": "Look there first: sent twice, it runs and is charged twice."}
    )

    def __init__(self, job: Job, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label = job.account.provider_label
        self.fields["send_again"].label = f"I have looked: {label} does not have it"
        dress(self)


class AccountForm(forms.Form):
    """One account of one provider: its fields are those that the adapter declares.

    Credentials are write-only: never shown, and kept when left empty.
    """

    name = forms.CharField(max_length=100, help_text="Display name on this board.")
    base_url = forms.CharField(
        label="Base URL",
        max_length=MAX_BASE_URL,
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
        is_stored = self.account is not None and field.name in stored_names(self.account)
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
        names = [field.name for field in self.adapter_class.credential_fields]
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data[name]}

    @property
    def options(self) -> dict[str, str]:
        """Each option as entered: an empty one takes away what is stored."""
        declared = [field.name for field in self.adapter_class.option_fields]
        return {name: self.cleaned_data[name] for name in (*declared, *COMMON_OPTIONS)}


def dress(form: forms.Form) -> None:
    """Give every widget Tabler's classes, and fields with errors the mark of it.

    The first of these gets the focus when the page is loaded.
    """
    for name, field in form.fields.items():
        dress_widget(field.widget, has_errors=form.is_bound and name in form.errors)
        field.widget.attrs.pop("autofocus", None)
    wrong = (field for name, field in form.fields.items() if form.is_bound and name in form.errors)
    if first := next(wrong, None):
        first.widget.attrs["autofocus"] = True


def dress_widget(widget: forms.Widget, *, has_errors: bool) -> None:
    if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
        css = "form-check-input"
    else:
        css = "form-select" if isinstance(widget, forms.Select) else "form-control"
    given = widget.attrs.get("class", "").split()
    parts = [css, *given, *(["is-invalid"] if has_errors else [])]
    widget.attrs["class"] = " ".join(dict.fromkeys(parts))


def _as_text(metadata: Any) -> str:
    return "" if metadata is None else json.dumps(metadata)
