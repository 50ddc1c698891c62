"""What a person fills in to keep a list of jobs as a view."""

from typing import Any

from django import forms
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.display.columns import read_columns
from jobs.models import DefaultView, SavedView, ViewCounting
from jobs.models.lists.saved_view import MAX_QUERY
from jobs.query.jobs import JobFilter
from jobs.query.visibility import Visibility
from organizations.access import Access
from organizations.models import Membership
from organizations.permissions import Permission
from organizations.sign_in.form_fields import StyledField

TAKEN = "There is a view with this name already."


class SavedViewForm(forms.Form):
    bound_field_class = StyledField

    name = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    q = forms.CharField(
        label="Query",
        max_length=MAX_QUERY,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="As in the search box of the job list. Empty for all jobs.",
    )
    sort = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    columns = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    is_shared = forms.BooleanField(label="Share with everybody in the organization", required=False)
    is_default = forms.BooleanField(
        label="My default view: the board begins with it", required=False
    )

    def __init__(self, access: Access, *args: Any, view: SavedView | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.access, self.view = access, view
        if not access.allows(Permission.SHARE_VIEWS):
            del self.fields["is_shared"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._check_query(cleaned)
        owner = None if cleaned.get("is_shared") else self.access.user
        same = SavedView.objects.filter(
            organization=self.access.organization, owner=owner, name=cleaned.get("name", "")
        )
        if same.exclude(pk=self.view.pk if self.view else 0).exists():
            self.add_error("name", TAKEN)
        return cleaned

    def _check_query(self, cleaned: dict[str, Any]) -> None:
        params = {"q": [cleaned.get("q", "")], "sort": [cleaned.get("sort", "")]}
        visible = Visibility(self.access.organization, member_id=self.access.member_id)
        filters = JobFilter.parse(params, visible)
        for name, message in filters.errors.items():
            self.add_error("q", message) if name == "q" else self.add_error(None, message)

    def save(self) -> SavedView | None:
        """Write the view of a valid form, and whether the member's list begins with it.

        None, with an error in the form, where somebody took the name a moment before.
        """
        try:
            with transaction.atomic():
                return self._write()
        except IntegrityError:
            self.add_error("name", TAKEN)
            return None

    def _write(self) -> SavedView:
        cleaned, access = self.cleaned_data, self.access
        view = self.view or SavedView(organization=access.organization)
        view.owner = None if cleaned.get("is_shared") else access.user
        view.name, view.query, view.sort = cleaned["name"], cleaned["q"], cleaned["sort"]
        view.columns = list(read_columns(cleaned["columns"]))
        view.count = None
        view.save()
        now = timezone.now()
        ViewCounting.objects.update_or_create(
            organization=access.organization, defaults={"due_at": now}
        )
        membership = Membership.objects.get(user=access.user, organization=access.organization)
        if cleaned["is_default"]:
            DefaultView.objects.update_or_create(membership=membership, defaults={"view": view})
        else:
            DefaultView.objects.filter(membership=membership, view=view).delete()
        return view
